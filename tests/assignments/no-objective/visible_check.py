# Run this cell to see your table. It cannot be edited; it says where your numbers leave the path.
def check_triangular():
    passes = 14
    returned = triangular(0.1, 0.5, 4, 2, passes)
    reference = [0.1, 0.2, 0.3, 0.4, 0.5, 0.3, 0.1, 0.2, 0.3, 0.4, 0.5, 0.3, 0.1, 0.2]

    try:
        yours = [float(rate) for rate in returned[: passes + 1]]
    except (TypeError, ValueError):
        return f"A list of {passes} numbers was expected.\nYour function returned {returned!r:.100}"

    print("pass    rate")
    for number, rate in enumerate(yours):
        print(f"{number:4}{rate:8.4f}  {'·' * round(40 * abs(rate))}")
    for number, (rate, right) in enumerate(zip(yours, reference)):
        if not abs(rate - right) <= 0.00001:
            return (
                f"In pass {number} your rate is {rate:.4f}, the reference is {right:.4f}.\n"
                "How many passes into its cycle is that, and is it on the way up or down?"
            )
    if len(yours) != passes:
        return f"These agree. But {passes} passes need {passes} rates,\nand you returned {len(returned)}."


complaint = check_triangular()
assert complaint is None, "\n" + complaint
print("All 14 rates agree with the reference.")
print("That is one cycle's shape. The grader also asks for others, longer and shorter.")
