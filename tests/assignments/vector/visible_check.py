# Run this cell to see your table. It cannot be edited; it says where your numbers leave the path.
def check_nesterov():
    iterations = 8
    returned = nesterov(lambda x: x[0] ** 2 / 20 + x[1] ** 2, [-9.0, 3.0], 0.3, 0.8, iterations)
    reference = [
        (-9.0, 3.0),
        (-8.514, -0.24),
        (-7.88144, -1.1328),
        (-7.15414, -0.73882),
        (-6.37512, -0.16945),
        (-5.57935, 0.11442),
        (-4.79446, 0.1366),
        (-4.04154, 0.06174),
    ]

    try:
        yours = [(float(entry[0]), float(entry[1])) for entry in returned[: iterations + 1]]
    except (TypeError, ValueError, IndexError):
        return f"A list of {iterations} lists of two numbers was expected.\nYour function returned {returned!r:.100}"

    print("step       x[0]       x[1]")
    for step, (first, second) in enumerate(yours):
        print(f"{step:4}{first:11.4f}{second:11.4f}")
    for step, (mine, right) in enumerate(zip(yours, reference)):
        for axis in (0, 1):
            if not abs(mine[axis] - right[axis]) <= 0.001:
                led_there = (
                    f"The update in pass {step - 1} led there." if step else "It comes before any update: start."
                )
                return (
                    f"At step {step} your x[{axis}] is {mine[axis]:.4f}, the reference is {right[axis]:.4f}.\n"
                    f"{led_there} Print x, the gradient and the velocity in each pass: what is there?"
                )
    if len(yours) != iterations:
        return f"These agree. But {iterations} passes give {iterations} points,\nand you returned {len(returned)}."


complaint = check_nesterov()
assert complaint is None, "\n" + complaint
print("All 8 points agree with the reference.")
print("That is one walk. The grader also runs other starts, rates, lengths and landscapes.")
