"""Wrong (and a few right) cells in other words, with other constants, than the catalogue's programs.

Each entry: the names that a diagnosis may give (the first is what the cell does; none: right, or harmless), and the
cell as edits of a plain right answer. They stand in for the cells that nobody has seen yet.
"""

from __future__ import annotations

BY_HAND = """\
def gradient_descent(f, x0, lr, iterations):
    w = torch.tensor([float(x0)], requires_grad=True)
    history = []
    for step in range(iterations):
        loss = f(w)
        history.append(loss.item())
        loss.backward()
        w.data -= lr * w.grad
        w.grad = None
    return history
"""
OPTIMIZER = """\
def use_optimizer(f, x0, lr, momentum, iterations):
    w = torch.tensor([float(x0)], requires_grad=True)
    opt = optim.SGD([w], lr=lr, momentum=momentum)
    history = []
    for step in range(iterations):
        opt.zero_grad()
        loss = f(w)
        loss.backward()
        history.append(loss.item())
        opt.step()
    return history
"""
VELOCITY = """\
def use_optimizer(f, x0, lr, momentum, iterations):
    w = torch.tensor([float(x0)], requires_grad=True)
    v = 0.0
    history = []
    for step in range(iterations):
        loss = f(w)
        history.append(loss.item())
        g, = torch.autograd.grad(loss, w)
        v = momentum * v + g
        w.data = w.data - lr * v
    return history
"""
SCHEDULER = """\
def use_scheduler(f, x0, lr, gamma, iterations):
    w = torch.tensor([float(x0)], requires_grad=True)
    opt = optim.SGD([w], lr=lr)
    sched = optim.lr_scheduler.ExponentialLR(opt, gamma)
    history = []
    for step in range(iterations):
        loss = f(w)
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        history.append((loss.item(), sched.get_last_lr()[0]))
    return history
"""
BASES = {
    "gradient-descent": BY_HAND,
    "optimizer": OPTIMIZER,
    "velocity": VELOCITY,
    "scheduler": SCHEDULER,
}

UPDATE = "        w.data -= lr * w.grad\n"
CLEAR = "        w.grad = None\n"
LOSS = "        loss = f(w)\n"
KEEP = "        history.append(loss.item())\n"
BACK = "        loss.backward()\n"
STEP = "        opt.step()\n"
SCHED = "        sched.step()\n"
ZERO = "        opt.zero_grad()\n"
PAIR = "(loss.item(), sched.get_last_lr()[0])"
RATE = "sched.get_last_lr()[0]"
EXPONENTIAL = "ExponentialLR(opt, gamma)"
SGD = "SGD([w], lr=lr, momentum=momentum)"
RETURN = "    return history\n"
START = "    w = torch.tensor([float(x0)], requires_grad=True)\n"
LOOP = "    for step in range(iterations):\n"

Edit = tuple[str, str]
Cell = tuple[str, str, tuple[Edit, ...]]
NO_UPDATE = "no-update|update-in-new-name|update-outside-loop|x-reset-in-loop|grad-zeroed-before-use|left-blank"

GRADIENT_DESCENT: list[Cell] = [
    ("", "plain", ()),
    ("", "no_grad and sub_", ((UPDATE, "        with torch.no_grad():\n            w.sub_(lr * w.grad)\n"),)),
    ("", "detached anew", ((UPDATE + CLEAR, "        w = (w - lr * w.grad).detach().requires_grad_(True)\n"),)),
    ("", "tensor of values", ((RETURN, "    return torch.tensor(history)\n"),)),
    ("grad-not-zeroed", "never cleared", ((CLEAR, ""),)),
    ("grad-not-zeroed", "a copy is cleared", ((CLEAR, "        w.grad.clone().zero_()\n"),)),
    ("grad-not-zeroed", "another tensor is cleared", ((CLEAR, "        loss.grad = None\n"),)),
    ("grad-zeroed-every-second-pass", "odd", ((CLEAR, "        if step % 2 == 1: w.grad.zero_()\n"),)),
    ("grad-zeroed-every-second-pass", "even", ((CLEAR, "        if not step % 2: w.grad.zero_()\n"),)),
    ("wrong-sign", "plus", (("w.data -= lr", "w.data += lr"),)),
    ("wrong-sign", "of the loss", ((BACK, "        (-loss).backward()\n"),)),
    ("sign-step", "normalised", (("lr * w.grad", "lr * w.grad / w.grad.norm()"),)),
    ("sign-step", "where", (("lr * w.grad", "lr * torch.where(w.grad > 0, 1.0, -1.0)"),)),
    ("gradient-clipped", "norm 5", ((UPDATE, "        torch.nn.utils.clip_grad_norm_(w, 5.0)\n" + UPDATE),)),
    ("gradient-clipped", "0.5", (("lr * w.grad", "lr * w.grad.clamp(-0.5, 0.5)"),)),
    ("gradient-clipped", "two", (("lr * w.grad", "lr * max(-2.0, min(2.0, w.grad.item()))"),)),
    ("absolute-gradient", "abs", (("lr * w.grad", "lr * abs(w.grad)"),)),
    ("value-instead-of-gradient", "loss.item()", (("lr * w.grad", "lr * loss.item()"),)),
    (
        "late-gradient",
        "old gradient",
        (
            ("    history = []\n", "    history = []\n    old = torch.zeros(1)\n"),
            (UPDATE, "        w.data -= lr * old\n        old = w.grad.clone()\n"),
        ),
    ),
    (
        "idle-first-pass",
        "update above",
        (
            (
                LOSS + KEEP + BACK + UPDATE + CLEAR,
                LOSS
                + KEEP
                + "        if step > 0:\n            w.data = w.data - lr * w.grad\n            w.grad = None\n"
                + BACK,
            ),
        ),
    ),
    (
        "gradient-computed-once",
        "above the loop",
        (
            ("    history = []\n", "    history = []\n    f(w).backward()\n    g = w.grad.clone()\n"),
            (BACK + UPDATE + CLEAR, "        w.data -= lr * g\n"),
        ),
    ),
    (
        "gradient-at-wrong-point",
        "look ahead",
        (
            (
                BACK + UPDATE + CLEAR,
                BACK + "        p = torch.tensor([w.item() - lr * w.grad.item()], requires_grad=True)\n"
                "        f(p).backward()\n"
                "        w.data -= lr * p.grad\n" + CLEAR,
            ),
        ),
    ),
    (
        "gradient-averaged",
        "running mean",
        (
            ("    history = []\n", "    history = []\n    total = 0\n"),
            (UPDATE, "        total = total + w.grad.item()\n        w.data -= lr * total / (step + 1)\n"),
        ),
    ),
    (
        "backward-twice|lr-doubled|update-twice",
        "retain",
        ((BACK, "        loss.backward(retain_graph=True)\n" + BACK),),
    ),
    ("backward-twice|lr-doubled|update-twice", "two values", ((BACK, BACK + "        f(w).backward()\n"),)),
    (
        "optimizer-in-by-hand",
        "imported",
        (
            (START, START + "    from torch.optim import SGD\n    o = SGD([w], lr)\n"),
            (UPDATE + CLEAR, "        o.step()\n        o.zero_grad()\n"),
        ),
    ),
    ("hand-made-derivative", "2 w", ((BACK, ""), (UPDATE + CLEAR, "        w = w - lr * 2 * w\n"))),
    (
        "finite-difference",
        "coarse central",
        ((BACK + UPDATE + CLEAR, "        g = (f(w + 0.5) - f(w - 0.5)) / 1.0\n        w = (w - lr * g).detach()\n"),),
    ),
    (
        "finite-difference",
        "forward 1e-3",
        ((BACK + UPDATE + CLEAR, "        g = (f(w + 1e-3) - loss) / 1e-3\n        w = (w - lr * g).detach()\n"),),
    ),
    (
        "finite-difference",
        "backward 0.1",
        ((BACK + UPDATE + CLEAR, "        g = (loss - f(w - 0.1)) / 0.1\n        w = (w - lr * g).detach()\n"),),
    ),
    (
        "newton-step",
        "second derivative",
        (
            (
                BACK + UPDATE + CLEAR,
                "        g, = torch.autograd.grad(loss, w, create_graph=True)\n"
                "        h, = torch.autograd.grad(g, w)\n"
                "        w.data -= g.detach() / h\n",
            ),
        ),
    ),
    ("squared-loss", "squared", ((BACK, "        (loss ** 2).backward()\n"),)),
    ("squared-loss", "MSELoss", ((BACK, "        torch.nn.MSELoss()(loss, torch.zeros(1)).backward()\n"),)),
    ("l1-loss-against-zero", "abs", ((BACK, "        loss.abs().backward()\n"),)),
    ("backward-missing", "no parentheses", ((BACK, "        loss.backward\n"),)),
    (
        "loss-accumulated",
        "sum",
        (
            ("    history = []\n", "    history = []\n    total = 0\n"),
            (BACK, "        total += loss\n        total.backward(retain_graph=True)\n"),
            (UPDATE, "        w.data = w.data - lr * w.grad\n"),
        ),
    ),
    ("no-update|" + NO_UPDATE, "expression only", ((UPDATE, "        w.data - lr * w.grad\n"),)),
    ("update-in-new-name|" + NO_UPDATE, "w_next", ((UPDATE, "        w_next = w.data - lr * w.grad\n"),)),
    ("no-update|" + NO_UPDATE, "on a copy", ((UPDATE, "        w.clone().data.sub_(lr * w.grad)\n"),)),
    ("x-reset-in-loop|" + NO_UPDATE, "in the loop", ((START, ""), (LOOP, LOOP + "    " + START))),
    (
        "update-outside-loop|" + NO_UPDATE,
        "dedented",
        (
            (UPDATE + CLEAR, ""),
            (RETURN, "    w.data -= lr * w.grad\n" + RETURN),
            (BACK, "        w.grad = None\n" + BACK),
        ),
    ),
    ("update-twice|lr-doubled|backward-twice", "pasted", ((UPDATE, UPDATE + UPDATE),)),
    ("x-dropped", "=", (("w.data -= lr", "w.data = lr"),)),
    ("x-dropped-negated", "=-", (("w.data -= lr", "w.data =- lr"),)),
    ("anchored-at-x0", "x0", (("w.data -= lr * w.grad", "w.data = torch.tensor([float(x0)]) - lr * w.grad"),)),
    ("x-clamped", "wide", ((UPDATE, UPDATE + "        w.data.clamp_(-2.0, 6.0)\n"),)),
    ("x-clamped", "relu", ((UPDATE, UPDATE + "        w.data = torch.relu(w.data)\n"),)),
    ("x-clamped", "above one", ((UPDATE, UPDATE + "        w.data = torch.clamp(w.data, min=1.0)\n"),)),
    (
        "rejects-uphill-steps",
        "saved",
        (
            (
                UPDATE,
                "        before = w.data.clone()\n"
                + UPDATE
                + "        if f(w).item() > loss.item():\n            w.data = before\n",
            ),
        ),
    ),
    (
        "y-computed-once",
        "above",
        (
            (LOSS, ""),
            (LOOP, "    loss = f(w)\n" + LOOP),
            (BACK, "        loss.backward(retain_graph=True)\n"),
            (UPDATE, "        w.data = w.data - lr * w.grad\n"),
        ),
    ),
    ("y-computed-once", "above, freed", ((LOSS, ""), (LOOP, "    loss = f(w)\n" + LOOP))),
    ("lr-missing", "no lr", (("lr * w.grad", "w.grad"),)),
    ("lr-squared", "twice", (("lr * w.grad", "lr * lr * w.grad"),)),
    ("lr-doubled|update-twice|backward-twice", "factor", (("lr * w.grad", "2 * lr * w.grad"),)),
    ("lr-halved", "mean", (("lr * w.grad", "lr * w.grad / 2"),)),
    ("lr-decays", "sqrt", (("lr * w.grad", "lr / (step + 1) ** 0.5 * w.grad"),)),
    ("lr-decays", "0.99", ((CLEAR, CLEAR + "        lr *= 0.95\n"),)),
    ("lr-decays", "half-life", (("lr * w.grad", "lr * 0.5 ** step * w.grad"),)),
    ("lr-divided-by-iterations", "in front", ((START, START + "    lr = lr / iterations\n"),)),
    ("divided-by-lr", "slash", (("lr * w.grad", "w.grad / lr"),)),
    ("stops-early", "gradient", ((BACK, BACK + "        if abs(w.grad) < 0.3: break\n"),)),
    (
        "stops-early",
        "change of f",
        ((BACK, BACK + "        if step and abs(history[-1] - history[-2]) < 0.1: break\n"),),
    ),
    (
        "stops-early",
        "stands still",
        ((UPDATE, "        if abs(w.grad.item()) > 0.4:\n            w.data -= lr * w.grad\n"),),
    ),
    ("one-pass-short", "from one", (("range(iterations)", "range(1, iterations)"),)),
    ("one-pass-short", "minus one", (("range(iterations)", "range(iterations - 1)"),)),
    ("return-inside-loop", "indented", ((RETURN, "    " + RETURN),)),
    ("low-precision", "half", (("requires_grad=True", "requires_grad=True, dtype=torch.half"),)),
    (
        "low-precision",
        "bfloat16",
        (("torch.tensor([float(x0)], requires_grad=True)", "torch.tensor([float(x0)]).bfloat16().requires_grad_()"),),
    ),
    ("x0-truncated", "int", (("float(x0)", "int(x0) * 1.0"),)),
    (
        "x0-truncated",
        "long",
        (("torch.tensor([float(x0)], requires_grad=True)", "torch.tensor([x0]).long().float().requires_grad_()"),),
    ),
    ("wrong-start", "zero", (("float(x0)", "0.5"),)),
    ("wrong-start", "minus", (("float(x0)", "-float(x0)"),)),
    ("wrong-start", "ten", (("float(x0)", "10.0"),)),
    ("wrong-start", "half", (("float(x0)", "x0 / 2"),)),
    ("hard-coded-x0", "8", (("float(x0)", "8."),)),
    ("ignores-f-argument", "square", ((LOSS, "        loss = w.pow(2)\n"),)),
    ("ignores-f-argument", "another", ((LOSS, "        loss = w ** 2 / 20 + torch.tanh(torch.sin(w))\n"),)),
    ("ignores-f-argument", "redefined", ((START, START + "    f = lambda z: z ** 2 + 1\n"),)),
    ("hard-coded-lr", "0.1", (("lr * w.grad", "0.1 * w.grad"),)),
    ("hard-coded-lr", "named", ((START, "    lr = 1e-1\n" + START),)),
    ("wrong-lr", "0.01", (("lr * w.grad", "0.01 * w.grad"),)),
    (
        "wrong-lr",
        "global",
        ((BY_HAND.splitlines()[0], "rate = 0.2\n" + BY_HAND.splitlines()[0]), ("lr * w.grad", "rate * w.grad")),
    ),
    ("hard-coded-iterations", "20", (("range(iterations)", "range(20)"),)),
    ("hard-coded-iterations", "10", (("range(iterations)", "range(10)"),)),
    ("hard-coded-iterations", "while", ((LOOP, "    while len(history) < 30:\n"),)),
    (
        "hard-coded-answer",
        "short table",
        (
            (
                BY_HAND.split("\n", 1)[1],
                "    return [64.0, 40.96, 26.214, 16.777, 10.737, 6.872, 4.398, 2.815, 1.801, 1.153]\n",
            ),
        ),
    ),
    (
        "state-leaks-between-calls",
        "list",
        ((", iterations):", ", iterations, history=[]):"), ("    history = []\n", "")),
    ),
    (
        "state-leaks-between-calls",
        "global x",
        (
            (BY_HAND.splitlines()[0], "w = torch.tensor([8.0], requires_grad=True)\n" + BY_HAND.splitlines()[0]),
            (START, ""),
        ),
    ),
    (
        "state-leaks-between-calls",
        "global list",
        ((BY_HAND.splitlines()[0], "history = []\n" + BY_HAND.splitlines()[0]), ("    history = []\n", "")),
    ),
    (
        "momentum-added",
        "0.5",
        (
            ("    history = []\n", "    history = []\n    v = 0\n"),
            (UPDATE, "        v = 0.5 * v + w.grad.item()\n        w.data -= lr * v\n"),
        ),
    ),
    (
        "other-optimizer-adam",
        "AdamW",
        (
            (START, START + "    o = optim.AdamW([w], lr)\n"),
            (UPDATE + CLEAR, "        o.step()\n        o.zero_grad()\n"),
        ),
    ),
    (
        "other-optimizer-adam",
        "Adam betas",
        (
            (START, START + "    o = optim.Adam([w], lr, betas=(0.5, 0.9))\n"),
            (UPDATE + CLEAR, "        o.step()\n        o.zero_grad()\n"),
        ),
    ),
    (
        "other-optimizer-rmsprop",
        "RMSprop",
        (
            (START, START + "    o = optim.RMSprop([w], lr)\n"),
            (UPDATE + CLEAR, "        o.step()\n        o.zero_grad()\n"),
        ),
    ),
    (
        "other-optimizer-adagrad",
        "Adagrad",
        (
            (START, START + "    o = optim.Adagrad([w], lr)\n"),
            (UPDATE + CLEAR, "        o.step()\n        o.zero_grad()\n"),
        ),
    ),
    ("recorded-after", "second f", ((KEEP, ""), (CLEAR, CLEAR + "        history.append(float(f(w)))\n"))),
    (
        "recorded-after",
        "no_grad",
        ((KEEP, ""), (CLEAR, CLEAR + "        with torch.no_grad():\n            history.append(f(w).item())\n")),
    ),
    ("recorded-n-plus-one", "end added", ((RETURN, "    history.append(f(w).item())\n" + RETURN),)),
    ("recorded-n-plus-one", "one more pass", (("range(iterations)", "range(iterations + 1)"),)),
    ("first-value-twice", "before", (("    history = []\n", "    history = [f(w).item()]\n"),)),
    ("first-value-missing", "sliced", ((RETURN, "    return history[1:]\n"),)),
    ("recorded-x", "after", ((KEEP, ""), (CLEAR, CLEAR + "        history.append(w.item())\n"))),
    ("recorded-x", "tensor", ((KEEP, "        history.append(w.detach().clone())\n"),)),
    ("returned-x", "tensor", ((RETURN, "    return w\n"),)),
    ("recorded-gradient", "float", ((KEEP, ""), (BACK, BACK + "        history.append(float(w.grad))\n"))),
    (
        "recorded-gradient-alias",
        "zeroed",
        ((KEEP, ""), (BACK, BACK + "        history.append(w.grad)\n"), (CLEAR, "        w.grad.zero_()\n")),
    ),
    ("recorded-pairs", "x first", ((KEEP, "        history.append([w.item(), loss.item()])\n"),)),
    (
        "recorded-pairs",
        "two lists",
        (
            ("    history = []\n", "    history, xs = [], []\n"),
            (KEEP, KEEP + "        xs.append(w.item())\n"),
            (RETURN, "    return xs, history\n"),
        ),
    ),
    (
        "aliased-records",
        "w itself",
        ((KEEP, "        history.append(w)\n"), (RETURN, "    return [f(p).item() for p in history]\n")),
    ),
    ("aliased-records|recorded-x", "w.data kept", ((KEEP, "        history.append(w.data)\n"),)),
    ("bound-methods-recorded", "item", ((KEEP, "        history.append(loss.item)\n"),)),
    ("strings-recorded", "str", ((KEEP, "        history.append(str(loss.item()))\n"),)),
    ("rounded-values", "three", ((KEEP, "        history.append(round(loss.item(), 3))\n"),)),
    ("rounded-values", "one", ((KEEP, "        history.append(round(loss.item(), 1))\n"),)),
    ("rounded-values", "numpy", ((RETURN, "    return np.round(history, 2)\n"),)),
    ("only-last-value", "last", ((RETURN, "    return history[-1]\n"),)),
    ("only-last-value", "overwritten", ((KEEP, "        history = [loss.item()]\n"),)),
    ("no-return", "print", ((RETURN, "    print(history)\n"),)),
    ("generator-returned", "expression", ((RETURN, "    return (h for h in history)\n"),)),
    ("dict-returned", "dict", ((RETURN, "    return dict(loss=history)\n"),)),
    ("grad-of-y", "loss.grad", (("lr * w.grad", "lr * loss.grad"),)),
    ("backward-result-used", "named", ((BACK, "        g = loss.backward()\n"), ("lr * w.grad", "lr * g"))),
    ("backward-on-wrong-object", "list", ((BACK, "        history.backward()\n"),)),
    ("backward-on-x", "x", ((BACK, "        w.backward()\n"),)),
    ("x-rebound-not-leaf", "rebound", ((UPDATE, "        w = w - lr * w.grad\n"), (CLEAR, ""))),
    (
        "x-rebound-not-leaf",
        "rebound, cleared",
        ((UPDATE, "        w = w - lr * w.grad\n"), (CLEAR, "        w.grad.zero_()\n")),
    ),
    (
        "x-rebound-without-requires-grad",
        "no_grad",
        ((UPDATE + CLEAR, "        with torch.no_grad():\n            w = w - lr * w.grad\n"),),
    ),
    ("x-rebound-without-requires-grad", "detached", ((UPDATE + CLEAR, "        w = (w - lr * w.grad).detach()\n"),)),
    (
        "x-rebound-without-requires-grad",
        "no_grad, cleared",
        (
            (
                UPDATE + CLEAR,
                "        with torch.no_grad():\n            w = w - lr * w.grad\n            w.grad.zero_()\n",
            ),
        ),
    ),
    ("inplace-on-leaf", "sub_", ((UPDATE, "        w.sub_(lr * w.grad)\n"),)),
    ("zero-before-first-backward", "above f", ((LOSS, "        w.grad.zero_()\n" + LOSS), (CLEAR, ""))),
    ("zero-before-first-backward", "before backward", ((BACK, "        w.grad.data.zero_()\n" + BACK), (CLEAR, ""))),
    ("update-before-first-backward", "top", ((LOSS + KEEP + BACK + UPDATE + CLEAR, UPDATE + LOSS + KEEP + BACK),)),
    ("grad-assigned-wrong-type", "zero", ((CLEAR, "        w.grad = 0\n"),)),
    ("misspelt-method", "zero_grad", ((CLEAR, "        w.zero_grad()\n"),)),
    ("misspelt-method", "backwards", ((BACK, "        loss.backwards()\n"),)),
    ("misspelt-method", "module", (("torch.tensor(", "torch.tensr("),)),
    ("no-requires-grad|forward-detached|forward-under-no-grad", "none", ((", requires_grad=True", ""),)),
    (
        "no-requires-grad|forward-detached|forward-under-no-grad",
        "False",
        (("requires_grad=True", "requires_grad=False"),),
    ),
    ("integer-tensor", "x0", (("[float(x0)]", "[x0]"),)),
    (
        "tensor-constructor-size",
        "Tensor",
        (
            ("torch.tensor([float(x0)], requires_grad=True)", "torch.Tensor(x0)"),
            (LOOP, "    w.requires_grad_()\n" + LOOP),
        ),
    ),
    ("item-too-early", "float", ((LOSS, "        loss = float(f(w))\n"), ("loss.item()", "loss"))),
    (
        "forward-under-no-grad|forward-detached|no-requires-grad",
        "decorator",
        ((BY_HAND.splitlines()[0], "@torch.no_grad()\n" + BY_HAND.splitlines()[0]),),
    ),
    (
        "forward-under-no-grad|forward-detached|no-requires-grad",
        "whole loop",
        ((LOOP, "    with torch.inference_mode():\n      for step in range(iterations):\n"),),
    ),
    ("forward-detached|forward-under-no-grad|no-requires-grad", "data", ((LOSS, "        loss = f(w.data)\n"),)),
    (
        "inference-tensor",
        "update",
        (
            (
                UPDATE + CLEAR,
                "        with torch.inference_mode():\n"
                "            w = w - lr * w.grad\n"
                "        w.requires_grad_(True)\n",
            ),
        ),
    ),
    (
        "grad-mode-left-off|x-rebound-without-requires-grad",
        "off",
        ((UPDATE, "        torch.set_grad_enabled(False)\n" + UPDATE),),
    ),
    ("loop-variable-overwrites-x", "w", ((LOOP, "    for w in range(iterations):\n"), ("loss.item()", "float(loss)"))),
    ("f-overwritten", "f", ((LOSS, "        loss = f = f(w)\n"),)),
    ("list-plus-float", "plus", ((KEEP, "        history = history + loss.item()\n"),)),
    ("append-two-arguments", "two", ((KEEP, "        history.append(step, loss.item())\n"),)),
    ("left-blank", "raise", ((BACK + UPDATE + CLEAR, "        raise NotImplementedError\n"),)),
    ("left-blank|" + NO_UPDATE, "pass", ((BACK + UPDATE + CLEAR, "        pass\n"),)),
    ("needless-zeroing", "twice", ((BACK, "        w.grad = None\n" + BACK),)),
    ("needless-retain-graph", "retain", ((BACK, "        loss.backward(retain_graph=True)\n"),)),
    ("graph-kept-in-list", "loss", ((KEEP, "        history.append(loss)\n"),)),
]

IDLE = (
    "backward-missing|grad-zeroed-before-use|optimizer-not-stepped|optimizer-on-other-tensor|step-before-backward"
    "|update-outside-loop|x-reset-in-loop"
)
WITH_OPTIMIZER: list[Cell] = [
    ("", "plain", ()),
    ("grad-not-zeroed", "missing", ((ZERO, ""),)),
    ("grad-not-zeroed", "of the wrong thing", ((ZERO, "        loss = f(w)\n        loss.grad = None\n"),)),
    ("grad-zeroed-before-use|" + IDLE, "late", ((ZERO, ""), (STEP, ZERO + STEP))),
    ("grad-zeroed-before-use|" + IDLE, "grad None", ((STEP, "        w.grad = None\n" + STEP),)),
    ("grad-zeroed-every-second-pass", "if", ((ZERO, "        if step % 2 == 0: opt.zero_grad()\n"),)),
    ("wrong-sign", "maximize", (("lr=lr,", "lr=lr, maximize=True,"),)),
    ("wrong-sign", "minus", ((BACK, "        (-loss).backward()\n"),)),
    ("sign-step", "sign", ((STEP, "        w.grad = torch.sign(w.grad)\n" + STEP),)),
    ("gradient-clipped", "norm 0.5", ((STEP, "        torch.nn.utils.clip_grad_norm_([w], max_norm=0.5)\n" + STEP),)),
    ("gradient-clipped", "value 3", ((STEP, "        torch.nn.utils.clip_grad_value_([w], 3)\n" + STEP),)),
    ("absolute-gradient", "abs", ((STEP, "        w.grad = abs(w.grad)\n" + STEP),)),
    (
        "squared-loss",
        "mse",
        (
            (
                BACK,
                "        optim_loss = torch.nn.MSELoss()(loss, torch.zeros_like(loss))\n"
                "        optim_loss.backward()\n",
            ),
        ),
    ),
    ("l1-loss-against-zero", "l1", ((BACK, "        torch.nn.functional.l1_loss(loss, torch.zeros(1)).backward()\n"),)),
    ("backward-missing|" + IDLE, "missing", ((BACK, ""),)),
    ("backward-missing|" + IDLE, "bare", ((BACK, "        loss.backward\n"),)),
    ("backward-twice|lr-doubled", "twice", ((BACK, "        loss.backward(retain_graph=True)\n" + BACK),)),
    ("optimizer-not-stepped|" + IDLE, "missing", ((STEP, ""),)),
    ("step-before-backward|" + IDLE, "first", ((STEP, ""), (ZERO, ZERO + STEP))),
    ("update-at-top-of-next-pass", "step at the top", ((STEP, ""), (ZERO, STEP + ZERO))),
    ("step-between-forward-and-backward", "between", ((ZERO, ""), (STEP, ""), (BACK, STEP + ZERO + BACK))),
    ("optimizer-stepped-twice", "twice", ((STEP, STEP + STEP),)),
    ("stepped-every-second-pass", "odd", ((STEP, "        if step % 2: opt.step()\n"),)),
    (
        "stepped-every-second-pass",
        "accumulated",
        ((ZERO, ""), (STEP, "        if (step + 1) % 2 == 0:\n            opt.step()\n            opt.zero_grad()\n")),
    ),
    ("manual-update-and-step", "before", ((STEP, "        w.data -= lr * w.grad\n" + STEP),)),
    (
        "manual-update-and-step",
        "after",
        ((STEP, STEP + "        with torch.no_grad():\n            w -= lr * w.grad\n"),),
    ),
    ("optimizer-on-other-tensor|" + IDLE, "clone", (("SGD([w]", "SGD([w.clone().detach().requires_grad_()]"),)),
    ("optimizer-on-other-tensor|" + IDLE, "w made anew", (("    history = []\n", "    history = []\n" + START),)),
    ("momentum-lost|other-optimizer-asgd", "left out", ((", momentum=momentum", ""),)),
    ("momentum-lost|other-optimizer-asgd", "zero", (("momentum=momentum", "momentum=0"),)),
    (
        "momentum-lost|other-optimizer-asgd",
        "in the loop",
        (("    opt = optim." + SGD + "\n", ""), (LOOP, LOOP + "        opt = optim." + SGD + "\n")),
    ),
    ("other-optimizer-asgd|momentum-lost", "ASGD", ((SGD, "ASGD([w], lr=lr)"),)),
    ("one-minus-momentum", "1 -", (("momentum=momentum", "momentum=1 - momentum"),)),
    ("lr-momentum-swapped", "keywords", (("lr=lr, momentum=momentum", "lr=momentum, momentum=lr"),)),
    ("momentum-as-weight-decay", "positional", (("lr=lr, momentum=momentum", "lr, 0, 0, momentum"),)),
    ("momentum-scales-lr", "product", (("lr=lr, momentum=momentum", "lr=momentum * lr"),)),
    ("lr-times-one-minus-momentum|ema-momentum", "scaled", (("lr=lr", "lr=(1 - momentum) * lr"),)),
    ("dampening", "momentum", (("momentum=momentum", "momentum=momentum, dampening=momentum"),)),
    ("dampening", "0.3", (("momentum=momentum", "momentum=momentum, dampening=0.3"),)),
    ("dampening", "one minus", (("momentum=momentum", "momentum=momentum, dampening=1 - momentum"),)),
    ("nesterov", "on", (("momentum=momentum", "momentum=momentum, nesterov=True"),)),
    ("weight-decay", "0.01", (("momentum=momentum", "momentum=momentum, weight_decay=0.01"),)),
    ("weight-decay", "0.5", (("momentum=momentum", "momentum=momentum, weight_decay=0.5"),)),
    ("optimizer-default-lr", "none", (("lr=lr, ", ""),)),
    ("hard-coded-lr", "0.01", (("lr=lr", "lr=1e-2"),)),
    ("wrong-lr", "0.1", (("lr=lr", "lr=0.1"),)),
    ("wrong-lr", "0.02", (("lr=lr", "lr=0.02"),)),
    ("hard-coded-momentum", "0.9", (("momentum=momentum", "momentum=.9"),)),
    ("wrong-momentum", "0.8", (("momentum=momentum", "momentum=0.8"),)),
    ("wrong-momentum", "0.95", (("momentum=momentum", "momentum=0.95"),)),
    ("hard-coded-lr|hard-coded-momentum", "both", (("lr=lr, momentum=momentum", "lr=0.01, momentum=0.9"),)),
    ("hard-coded-x0", "8", (("float(x0)", "8.0"),)),
    ("wrong-start", "3", (("float(x0)", "3.0"),)),
    ("x0-truncated", "int", (("float(x0)", "float(int(x0))"),)),
    ("hard-coded-iterations", "10", (("range(iterations)", "range(10)"),)),
    ("hard-coded-iterations", "20", (("range(iterations)", "range(20)"),)),
    ("one-pass-short", "short", (("range(iterations)", "range(iterations - 1)"),)),
    ("return-inside-loop", "indented", ((RETURN, "    " + RETURN),)),
    ("stops-early", "gradient", ((STEP, "        if abs(w.grad.item()) < 0.3: break\n" + STEP),)),
    ("lr-missing", "1", (("lr=lr", "lr=1"),)),
    ("lr-squared", "square", (("lr=lr", "lr=lr ** 2"),)),
    ("lr-doubled|backward-twice", "two", (("lr=lr", "lr=lr * 2"),)),
    ("lr-halved", "half", ((BACK, "        (loss / 2).backward()\n"),)),
    ("lr-divided-by-iterations", "n", (("lr=lr", "lr=lr / iterations"),)),
    ("divided-by-lr", "1/lr", (("lr=lr", "lr=1 / lr"),)),
    (
        "lr-decays",
        "StepLR",
        (
            ("    history = []\n", "    s = optim.lr_scheduler.StepLR(opt, 3, 0.5)\n    history = []\n"),
            (STEP, STEP + "        s.step()\n"),
        ),
    ),
    ("lr-decays", "group", ((STEP, STEP + "        opt.param_groups[0]['lr'] *= 0.9\n"),)),
    ("low-precision", "half", (("requires_grad=True", "requires_grad=True, dtype=torch.float16"),)),
    ("ignores-f-argument", "square", ((LOSS, "        loss = w ** 2\n"),)),
    (
        "hard-coded-answer",
        "table",
        (
            (
                OPTIMIZER.split("\n", 1)[1],
                "    table = [64, 61.466, 56.840, 50.662, 43.507, 35.934, 28.444, 21.452, 15.268, 10.096]\n"
                "    return table[:iterations]\n",
            ),
        ),
    ),
    (
        "state-leaks-between-calls",
        "list",
        ((", iterations):", ", iterations, history=[]):"), ("    history = []\n", "")),
    ),
    (
        "state-leaks-between-calls",
        "global x",
        (
            (OPTIMIZER.splitlines()[0], "w = torch.tensor([8.0], requires_grad=True)\n" + OPTIMIZER.splitlines()[0]),
            (START, ""),
        ),
    ),
    ("other-optimizer-adam", "Adam", ((SGD, "Adam([w], lr)"),)),
    ("other-optimizer-adam", "amsgrad", ((SGD, "Adam([w], lr, amsgrad=True, betas=(0.7, 0.99))"),)),
    ("other-optimizer-rmsprop", "alpha", ((SGD, "RMSprop([w], lr, alpha=momentum)"),)),
    ("other-optimizer-adagrad", "decay", ((SGD, "Adagrad([w], lr, lr_decay=0.1)"),)),
    (
        "other-optimizer-lbfgs",
        "max_iter",
        (
            (SGD, "LBFGS([w], lr=lr, max_iter=5)"),
            (
                ZERO + LOSS + BACK + KEEP + STEP,
                "        def closure():\n"
                "            opt.zero_grad()\n"
                "            loss = f(w)\n"
                "            loss.backward()\n"
                "            return loss\n"
                "        history.append(opt.step(closure).item())\n",
            ),
        ),
    ),
    ("x-clamped", "wide", ((STEP, STEP + "        w.data.clamp_(-3, 5)\n"),)),
    ("recorded-after", "f again", ((KEEP, ""), (STEP, STEP + "        history.append(f(w).item())\n"))),
    ("recorded-n-plus-one", "end", ((RETURN, "    history.append(f(w).item())\n" + RETURN),)),
    ("first-value-twice", "before", (("    history = []\n", "    history = [f(w).item()]\n"),)),
    ("first-value-missing", "skipped", ((KEEP, "        if step: history.append(loss.item())\n"),)),
    ("recorded-x", "x after", ((KEEP, ""), (STEP, STEP + "        history.append(w.item())\n"))),
    ("recorded-gradient", "grad", ((KEEP, "        history.append(w.grad.item())\n"),)),
    ("recorded-pairs", "x and y", ((KEEP, "        history.append((w.item(), loss.item()))\n"),)),
    (
        "aliased-records",
        "w.data",
        ((KEEP, "        history.append(w.data)\n"), (RETURN, "    return [f(p) for p in history]\n")),
    ),
    ("strings-recorded", "format", ((KEEP, "        history.append('{:.2f}'.format(loss.item()))\n"),)),
    ("rounded-values", "2", ((KEEP, "        history.append(round(loss.item(), 2))\n"),)),
    ("only-last-value", "last", ((RETURN, "    return loss\n"),)),
    ("no-return", "none", ((RETURN, ""),)),
    ("integer-tensor", "x0", (("[float(x0)]", "[x0]"),)),
    ("item-too-early", "item", ((LOSS, "        loss = f(w).item()\n"), ("loss.item()", "loss"))),
    ("forward-detached|forward-under-no-grad|no-requires-grad", "detach", ((LOSS, "        loss = f(w.detach())\n"),)),
    ("optimizer-undefined", "none", (("    opt = optim." + SGD + "\n", ""),)),
    ("optimizer-undefined", "class", ((SGD, "SGD"),)),
    ("left-blank", "None", (("optim." + SGD, "None"),)),
    ("optimizer-on-non-leaf", "times", (("requires_grad=True)\n", "requires_grad=True) * 1\n"),)),
    ("params-not-a-list", "w", (("SGD([w]", "SGD(w"),)),
    ("lbfgs-without-closure", "LBFGS", ((SGD, "LBFGS([w], lr=lr)"),)),
    (
        "closure-without-return",
        "LBFGS",
        (
            (SGD, "LBFGS([w], lr=lr)"),
            (
                ZERO + LOSS + BACK + KEEP + STEP,
                "        def closure():\n"
                "            opt.zero_grad()\n"
                "            f(w).backward()\n"
                "        opt.step(closure)\n",
            ),
        ),
    ),
    ("misspelt-method", "zero_grads", (("zero_grad", "zero_grads"),)),
    ("misspelt-method", "sgd", (("optim.SGD", "optim.Sgd"),)),
    ("needless-zeroing", "twice", ((STEP, STEP + "        opt.zero_grad()\n"),)),
    ("graph-kept-in-list", "loss", ((KEEP, "        history.append(loss)\n"),)),
    (
        "left-blank",
        "raise",
        ((ZERO + LOSS + BACK + KEEP + STEP, LOSS + KEEP + "        raise NotImplementedError()\n"),),
    ),
]
WITH_VELOCITY: list[Cell] = [
    ("", "plain", ()),
    ("ema-momentum|lr-times-one-minus-momentum", "average", (("+ g", "+ (1 - momentum) * g"),)),
    (
        "velocity-one-pass-late",
        "order",
        (
            (
                "        v = momentum * v + g\n        w.data = w.data - lr * v\n",
                "        w.data = w.data - lr * v\n        v = momentum * v + g\n",
            ),
        ),
    ),
    ("wrong-velocity-start", "ten", (("v = 0.0", "v = 10.0"),)),
    ("wrong-velocity-start", "x0", (("v = 0.0", "v = x0"),)),
    (
        "momentum-lost|other-optimizer-asgd",
        "reset",
        (("        v = momentum * v + g\n", "        v = 0\n        v = momentum * v + g\n"),),
    ),
    ("lr-squared", "twice", (("+ g", "+ lr * g"),)),
    ("nesterov", "by hand", (("lr * v\n", "lr * (g + momentum * v)\n"),)),
    ("wrong-sign", "plus", (("w.data - lr", "w.data + lr"),)),
    ("momentum-lost|other-optimizer-asgd", "times zero", (("momentum * v", "0 * v"),)),
    ("lr-missing", "no lr", (("lr * v", "v"),)),
    ("one-minus-momentum", "1 -", (("momentum * v", "(1 - momentum) * v"),)),
    ("hard-coded-momentum", "0.9", (("momentum * v", "0.9 * v"),)),
]
WITH_SCHEDULER: list[Cell] = [
    ("", "plain", ()),
    ("", "LambdaLR", ((EXPONENTIAL, "LambdaLR(opt, lambda t: gamma ** t)"),)),
    ("", "StepLR", ((EXPONENTIAL, "StepLR(opt, 1, gamma)"),)),
    (
        "",
        "by hand",
        (
            ("    sched = optim.lr_scheduler." + EXPONENTIAL + "\n", ""),
            (SCHED, "        for group in opt.param_groups: group['lr'] *= gamma\n"),
            (RATE, "opt.param_groups[0]['lr']"),
        ),
    ),
    ("grad-not-zeroed", "missing", ((ZERO, ""),)),
    ("lr-never-decays", "missing", ((SCHED, ""),)),
    ("lr-never-decays", "bare", ((SCHED, "        sched.step\n"),)),
    ("lr-never-decays", "gamma 1", ((EXPONENTIAL, "ExponentialLR(opt, 1.0)"),)),
    ("lr-never-decays", "after the loop", ((SCHED, ""), (RETURN, "    sched.step()\n" + RETURN))),
    ("lr-not-passed-to-optimizer", "variable", ((SCHED, "        lr = lr * gamma\n"), (RATE, "lr"))),
    ("lr-not-passed-to-optimizer", "power", ((SCHED, ""), (RATE, "lr * gamma ** (step + 1)"))),
    ("scheduler-stepped-first", "before step", ((STEP + SCHED, SCHED + STEP),)),
    ("scheduler-stepped-first", "once before", ((LOOP, "    sched.step()\n" + LOOP),)),
    ("scheduler-stepped-twice", "pasted", ((SCHED, SCHED + SCHED),)),
    ("scheduler-stepped-twice", "squared", ((EXPONENTIAL, "ExponentialLR(opt, gamma ** 2)"),)),
    ("scheduler-every-second-pass", "odd", ((SCHED, "        if step % 2 == 1: sched.step()\n"),)),
    ("scheduler-every-second-pass", "StepLR", ((EXPONENTIAL, "StepLR(opt, step_size=2, gamma=gamma)"),)),
    ("scheduler-one-pass-late", "if", ((SCHED, "        if step: sched.step()\n"),)),
    ("scheduler-stepped-with-loss", "loss", ((SCHED, "        sched.step(loss.item())\n"),)),
    ("one-minus-gamma", "1 -", ((EXPONENTIAL, "ExponentialLR(opt, 1 - gamma)"),)),
    ("constant-scaled-lr", "lambda", ((EXPONENTIAL, "LambdaLR(opt, lambda epoch: gamma)"),)),
    (
        "constant-scaled-lr",
        "group",
        ((SCHED, "        opt.param_groups[0]['lr'] = lr * gamma\n"), (RATE, "opt.param_groups[0]['lr']")),
    ),
    (
        "linear-instead-of-exponential",
        "minus",
        (
            (SCHED, "        opt.param_groups[0]['lr'] = lr * (1 - (1 - gamma) * (step + 1))\n"),
            (RATE, "opt.param_groups[0]['lr']"),
        ),
    ),
    ("linear-instead-of-exponential", "to zero", ((EXPONENTIAL, "LambdaLR(opt, lambda t: 1 - t / iterations)"),)),
    (
        "linear-instead-of-exponential|other-scheduler",
        "minus lr (1 - gamma)",
        ((SCHED, "        opt.param_groups[0]['lr'] -= 0.02\n"), (RATE, "opt.param_groups[0]['lr']")),
    ),
    (
        "super-exponential-decay",
        "power",
        ((SCHED, "        opt.param_groups[0]['lr'] *= gamma ** (step + 1)\n"), (RATE, "opt.param_groups[0]['lr']")),
    ),
    ("super-exponential-decay", "t squared", ((EXPONENTIAL, "LambdaLR(opt, lambda t: gamma ** (t ** 2))"),)),
    (
        "lr-grows",
        "divided",
        ((SCHED, "        opt.param_groups[0]['lr'] /= gamma\n"), (RATE, "opt.param_groups[0]['lr']")),
    ),
    ("lr-grows", "negative power", ((EXPONENTIAL, "LambdaLR(opt, lambda t: gamma ** -t)"),)),
    ("lr-floored", "max", ((EXPONENTIAL, "LambdaLR(opt, lambda t: max(gamma ** t, 0.6))"),)),
    ("lr-floored", "absolute", ((EXPONENTIAL, "LambdaLR(opt, lambda t: max(gamma ** t, 0.03 / lr))"),)),
    ("lr-gamma-swapped", "swapped", (("lr=lr", "lr=gamma"), (EXPONENTIAL, "ExponentialLR(opt, lr)"))),
    ("other-scheduler", "cosine", ((EXPONENTIAL, "CosineAnnealingLR(opt, 10)"),)),
    ("other-scheduler", "linear", ((EXPONENTIAL, "LinearLR(opt, start_factor=1.0, end_factor=gamma, total_iters=5)"),)),
    ("other-scheduler", "polynomial", ((EXPONENTIAL, "PolynomialLR(opt, total_iters=iterations)"),)),
    ("other-scheduler", "restarts", ((EXPONENTIAL, "CosineAnnealingWarmRestarts(opt, 4)"),)),
    ("other-scheduler", "one cycle", ((EXPONENTIAL, "OneCycleLR(opt, max_lr=lr, total_steps=40)"),)),
    ("other-scheduler", "harmonic", ((EXPONENTIAL, "LambdaLR(opt, lambda t: 1 / (t + 1))"),)),
    (
        "plateau-scheduler",
        "patience 1",
        (
            (EXPONENTIAL, "ReduceLROnPlateau(opt, factor=gamma, patience=1)"),
            (SCHED, "        sched.step(loss)\n"),
            (RATE, "opt.param_groups[0]['lr']"),
        ),
    ),
    ("plateau-scheduler", "without loss", ((EXPONENTIAL, "ReduceLROnPlateau(opt)"),)),
    ("hard-coded-gamma", "0.8", ((EXPONENTIAL, "ExponentialLR(opt, 0.8)"),)),
    ("wrong-gamma", "0.9", ((EXPONENTIAL, "ExponentialLR(opt, 0.5)"),)),
    ("wrong-gamma", "0.99", ((EXPONENTIAL, "ExponentialLR(opt, 0.99)"),)),
    ("wrong-gamma", "default", ((EXPONENTIAL, "StepLR(opt, step_size=1)"),)),
    ("hard-coded-lr", "0.5", (("lr=lr", "lr=0.5"),)),
    ("wrong-lr", "0.1", (("lr=lr", "lr=0.1"),)),
    ("optimizer-default-lr", "none", ((", lr=lr", ""),)),
    ("lr-missing", "1", (("lr=lr", "lr=1.0"),)),
    ("lr-squared", "lambda", ((EXPONENTIAL, "LambdaLR(opt, lambda t: lr * gamma ** t)"),)),
    ("lr-doubled|backward-twice|optimizer-stepped-twice", "2", (("lr=lr", "lr=2 * lr"),)),
    ("lr-halved", "half", ((BACK, "        (0.5 * loss).backward()\n"),)),
    ("lr-divided-by-iterations", "n", (("lr=lr", "lr=lr / iterations"),)),
    ("momentum-added", "0.9", (("lr=lr", "lr=lr, momentum=0.9"),)),
    ("momentum-added", "0.5", (("lr=lr", "lr=lr, momentum=0.5"),)),
    ("momentum-added", "gamma", (("lr=lr", "lr=lr, momentum=gamma"),)),
    ("weight-decay", "0.01", (("lr=lr", "lr=lr, weight_decay=0.01"),)),
    ("wrong-sign", "maximize", (("lr=lr", "lr=lr, maximize=True"),)),
    ("gradient-clipped", "2", ((STEP, "        torch.nn.utils.clip_grad_norm_([w], 2.0)\n" + STEP),)),
    ("other-optimizer-adam", "Adam", (("optim.SGD", "optim.Adam"),)),
    ("other-optimizer-rmsprop", "RMSprop", (("optim.SGD", "optim.RMSprop"),)),
    ("other-optimizer-adagrad", "Adagrad", (("optim.SGD", "optim.Adagrad"),)),
    ("hard-coded-x0", "8", (("float(x0)", "8.0"),)),
    ("x0-truncated", "int", (("float(x0)", "int(x0) + 0.0"),)),
    ("wrong-start", "6", (("float(x0)", "6.0"),)),
    ("hard-coded-iterations", "15", (("range(iterations)", "range(15)"),)),
    ("hard-coded-iterations", "10", (("range(iterations)", "range(10)"),)),
    ("one-pass-short", "short", (("range(iterations)", "range(1, iterations)"),)),
    ("stops-early", "gradient", ((STEP, "        if abs(w.grad.item()) < 0.3: break\n" + STEP),)),
    ("low-precision", "half", (("requires_grad=True", "requires_grad=True, dtype=torch.float16"),)),
    ("ignores-f-argument", "5|x|", ((LOSS, "        loss = 5 * w.abs()\n"),)),
    (
        "hand-made-derivative",
        "5 sign",
        (
            ("    sched = optim.lr_scheduler." + EXPONENTIAL + "\n", ""),
            (ZERO, ""),
            (BACK + STEP + SCHED, "        w.data -= lr * gamma ** step * 5 * torch.sign(w.data)\n"),
            (RATE, "lr * gamma ** (step + 1)"),
        ),
    ),
    ("l1-loss-against-zero", "abs", ((BACK, "        abs(loss).backward()\n"),)),
    ("squared-loss", "square", ((BACK, "        (loss * loss).backward()\n"),)),
    (
        "optimizer-not-stepped|" + IDLE,
        "missing",
        ((STEP, ""),),
    ),
    (
        "optimizer-on-other-tensor|" + IDLE,
        "data",
        (("SGD([w]", "SGD([w.data]"),),
    ),
    (
        "state-leaks-between-calls",
        "list",
        ((", iterations):", ", iterations, history=[]):"), ("    history = []\n", "")),
    ),
    (
        "state-leaks-between-calls",
        "global x",
        (
            (SCHEDULER.splitlines()[0], "w = torch.tensor([8.0], requires_grad=True)\n" + SCHEDULER.splitlines()[0]),
            (START, ""),
        ),
    ),
    ("recorded-after", "f again", (("loss.item()", "f(w).item()"),)),
    ("recorded-n-plus-one", "end", ((RETURN, f"    history.append({PAIR.replace('loss', 'f(w)')})\n" + RETURN),)),
    ("first-value-missing", "sliced", ((RETURN, "    return history[1:]\n"),)),
    ("recorded-x", "before", ((LOSS, LOSS + "        at = w.item()\n"), ("loss.item()", "at"))),
    ("recorded-gradient", "grad", (("loss.item()", "w.grad.item()"),)),
    (
        "lr-recorded-before-scheduler-step",
        "above",
        (("        history.append(" + PAIR + ")\n", ""), (SCHED, "        history.append(" + PAIR + ")\n" + SCHED)),
    ),
    ("get-lr-recorded", "get_lr", (("get_last_lr", "get_lr"),)),
    ("constant-lr-recorded", "lr", ((RATE, "lr"),)),
    ("constant-lr-recorded", "defaults", ((RATE, "opt.defaults['lr']"),)),
    ("constant-lr-recorded", "initial", ((RATE, "opt.param_groups[0]['initial_lr']"),)),
    ("gamma-recorded", "gamma", ((RATE, "sched.gamma"),)),
    ("pair-swapped", "swapped", ((PAIR, "(sched.get_last_lr()[0], loss.item())"),)),
    ("only-values-recorded", "values", ((PAIR, "loss.item()"),)),
    ("only-rates-recorded", "rates", ((PAIR, "sched.get_last_lr()[0]"),)),
    ("extra-column", "x", ((PAIR, "(w.item(), loss.item(), sched.get_last_lr()[0])"),)),
    (
        "aliased-lr-records",
        "group",
        ((RATE, "opt.param_groups[0]"), (RETURN, "    return [(a, b['lr']) for a, b in history]\n")),
    ),
    ("transposed-records", "zip", ((RETURN, "    return list(zip(*history))\n"),)),
    ("flattened-records", "extend", (("append", "extend"),)),
    ("strings-recorded", "f", ((PAIR, "f'{loss.item()} | {sched.get_last_lr()[0]}'"),)),
    ("rounded-values", "both", ((PAIR, "(round(loss.item(), 2), round(sched.get_last_lr()[0], 3))"),)),
    ("no-return", "print", ((RETURN, "    print(history)\n"),)),
    ("only-last-value", "last", ((RETURN, "    return history[-1]\n"),)),
    ("dict-returned", "dict", ((RETURN, "    return {'history': history}\n"),)),
    ("gamma-missing", "missing", (("(opt, gamma)", "(opt)"),)),
    ("scheduler-on-wrong-object", "groups", (("(opt, gamma)", "(opt.param_groups, gamma)"),)),
    ("param-groups-not-indexed", "lr", ((RATE, "opt.param_groups['lr']"),)),
    ("lr-attribute-read", "opt.lr", ((RATE, "opt.lr"),)),
    ("misspelt-method", "schedular", (("lr_scheduler", "lr_schedular"),)),
    ("append-two-arguments", "two", ((PAIR, PAIR[1:-1]),)),
    ("graph-kept-in-list", "loss", (("loss.item()", "loss"),)),
    ("left-blank", "None", (("optim.lr_scheduler." + EXPONENTIAL, "None"),)),
]

COLLECTIONS: dict[str, tuple[str, list[Cell]]] = {
    "gradient-descent": ("gradient-descent", GRADIENT_DESCENT),
    "optimizer": ("optimizer", WITH_OPTIMIZER),
    "velocity": ("optimizer", WITH_VELOCITY),
    "scheduler": ("scheduler", WITH_SCHEDULER),
}


def source_of(base: str, edits: tuple[Edit, ...]) -> str:
    """A cell's text: a right answer with its edits."""
    text = BASES[base]
    for old, new in edits:
        assert text.count(old) >= 1, f"{old!r} is not in the cell:\n{text}"
        text = text.replace(old, new, 1)
    return text


def all_cells() -> list[tuple[str, tuple[str, ...], str, str]]:
    """(exercise, names that a diagnosis may give, title, source) of every cell."""
    return [
        (exercise, tuple(filter(None, names.split("|"))), title, source_of(base, edits))
        for base, (exercise, cells) in COLLECTIONS.items()
        for names, title, edits in cells
    ]


def unknown_cells() -> list[tuple[str, str]]:
    """(exercise, source) of wrong cells that no name of the vocabulary describes."""
    updates = [
        "        w.data -= lr * w.grad ** 2\n",
        "        w.data -= lr * torch.tanh(w.grad)\n",
        "        w.data -= lr * w.grad * 3\n",
        "        w.data -= lr * w.grad * 0.7\n",
        "        w.data -= (lr + 0.01) * w.grad\n",
        "        w.data -= lr * w.grad + 0.01 * torch.randn(1)\n",
        "        w.data -= lr ** 0.5 * w.grad\n",
        "        w.data -= lr * w.grad * w.data\n",
        "        w.data -= lr * torch.sqrt(w.grad.abs())\n",
        "        w.data -= lr * w.grad * (step + 1)\n",
        "        w.data += lr * w.grad * (-1) ** step\n",
        "        w.data -= lr * (w.grad + 1)\n",
        "        w.data -= lr * w.grad\n        w.data = torch.round(w.data * 100) / 100\n",
    ]
    records = ["loss.item() / 2", "loss.item() ** 2", "abs(loss.item())", "step"]
    returns = ["history[::-1]", "sorted(history)", "history[::2]", "sum(history)", "[]"]
    others = ["Rprop([w], lr)", "Adamax([w], lr)"]
    by_optimizer = [
        (SGD, "Adamax([w], lr=lr)"),
        (SGD, "NAdam([w], lr=lr)"),
        (SGD, "SGD([w], lr=lr, momentum=momentum ** 2)"),
        (SGD, "SGD([w], lr=lr * 0.3, momentum=momentum)"),
        (STEP, "        w.grad *= 1.1\n" + STEP),
        (STEP, "        w.grad += torch.randn(1)\n" + STEP),
    ]
    by_scheduler = [
        (EXPONENTIAL, "ExponentialLR(opt, gamma ** 0.5)"),
        (EXPONENTIAL, "ExponentialLR(opt, gamma ** 3)"),
        (EXPONENTIAL, "LambdaLR(opt, lambda t: 1 / (1 + gamma * t))"),
        (RATE, "lr * 0.5"),
        (RATE, "step"),
    ]
    cells: list[tuple[str, tuple[Edit, ...]]] = [
        *(("gradient-descent", ((UPDATE, update),)) for update in updates),
        *(("gradient-descent", ((KEEP, f"        history.append({record})\n"),)) for record in records),
        *(("gradient-descent", ((RETURN, f"    return {returned}\n"),)) for returned in returns),
        *(
            ("gradient-descent", ((START, f"{START}    o = optim.{o}\n"), (UPDATE, "        o.step()\n")))
            for o in others
        ),
        *(("optimizer", (edit,)) for edit in by_optimizer),
        *(("scheduler", (edit,)) for edit in by_scheduler),
    ]
    return [(base, source_of(base, edits)) for base, edits in cells]


def combined_cells() -> list[tuple[str, tuple[str, str], str]]:
    """(exercise, both names, source) of cells that walk wrongly and record it wrongly."""
    after = (KEEP, ""), (CLEAR, CLEAR + "        history.append(f(w).item())\n")
    after_step = (KEEP, ""), (STEP, STEP + "        history.append(f(w).item())\n")
    end = (RETURN, "    history.append(f(w).item())\n" + RETURN)
    swapped = (PAIR, "(sched.get_last_lr()[0], loss.item())")
    cells: list[tuple[tuple[str, str], str, tuple[Edit, ...]]] = [
        (("wrong-sign", "recorded-x"), "gradient-descent", (("-= lr", "+= lr"), (KEEP, KEEP.replace("loss", "w")))),
        (("lr-missing", "no-return"), "gradient-descent", (("lr * w.grad", "w.grad"), (RETURN, ""))),
        (("sign-step", "recorded-n-plus-one"), "gradient-descent", (("w.grad\n", "w.grad.sign()\n"), end)),
        (("lr-squared", "recorded-after"), "gradient-descent", (("lr * w.grad", "lr * lr * w.grad"), *after)),
        (("wrong-lr", "recorded-after"), "gradient-descent", (("lr * w.grad", "0.07 * w.grad"), *after)),
        (("momentum-lost", "recorded-after"), "optimizer", ((", momentum=momentum", ""), *after_step)),
        (("nesterov", "recorded-x"), "optimizer", ((SGD, SGD[:-1] + ", nesterov=True)"), ("loss.item()", "w.item()"))),
        (("grad-not-zeroed", "no-return"), "optimizer", ((ZERO, ""), (RETURN, ""))),
        (("grad-not-zeroed", "pair-swapped"), "scheduler", ((ZERO, ""), swapped)),
        (("scheduler-stepped-twice", "only-values-recorded"), "scheduler", ((SCHED, SCHED * 2), (PAIR, "loss.item()"))),
        (("lr-never-decays", "recorded-after"), "scheduler", ((SCHED, ""), ("loss.item()", "f(w).item()"))),
    ]
    return [(base, names, source_of(base, edits)) for names, base, edits in cells]


def misleading_cells() -> list[tuple[str, tuple[str, ...], str, str]]:
    """(exercise, names that may be given, title, source) of cells that look like a mistake which they are not."""
    build = "def build(w, lr):\n    optim.SGD([w], lr=lr)\n\n\n"
    none_, stub = "        w.grad = None\n", CLEAR + "        raise NotImplementedError()\n"
    cells: list[tuple[str, str, str, tuple[Edit, ...]]] = [
        ("gradient-descent", "", "torch's own NotImplementedError", ((BACK, "        (loss ^ 2).backward()\n"),)),
        ("optimizer", "", "torch's own NotImplementedError", ((BACK, "        (loss ^ 2).backward()\n"),)),
        ("gradient-descent", "", "written, the raise left", ((CLEAR, stub),)),
        ("gradient-descent", "", "loop over a number", (("range(iterations)", "iterations"),)),
        ("optimizer", "", "loop over a number", (("range(iterations)", "iterations"),)),
        ("scheduler", "", "loop over a number", (("range(iterations)", "iterations"),)),
        ("gradient-descent", "", "list of a number", (("history = []", "history = list(lr)"),)),
        ("gradient-descent", "list-plus-float", "extend", (("append(loss.item())", "extend(loss.item())"),)),
        ("scheduler", "", "rate is 1.0", ((RATE, "1.0"),)),
        ("scheduler", "", "rate is 0", ((RATE, "0"),)),
        ("scheduler", "rounded-values", "rate cut", ((RATE, f"int({RATE} * 100) / 100"),)),
        ("optimizer", "", "optimizer lost at its step", ((ZERO, ZERO + none_), (STEP, "        opt = opt.step()\n"))),
        (
            "optimizer",
            "optimizer-undefined",
            "maker returns nothing",
            ((ZERO, none_), ("optim." + SGD, "build(w, lr)"), ("def use", build + "def use")),
        ),
        ("optimizer", "left-blank", "None beside another None", ((ZERO, none_), ("optim." + SGD, "None"))),
        ("gradient-descent", "grad-zeroed-before-use", "None before its use", ((CLEAR, ""), (BACK, BACK + none_))),
        ("optimizer", "grad-zeroed-before-use", "None before its use", ((BACK, BACK + none_),)),
        ("gradient-descent", "", "None, then zero_", ((UPDATE + CLEAR, none_ + "        w.grad.zero_()\n"),)),
        ("gradient-descent", "", "sign, a rate of its own", (("lr * w.grad", "0.05 * w.grad.sign()"),)),
        ("gradient-descent", "", "sign, half of the rate", (("lr * w.grad", "lr / 2 * w.grad.sign()"),)),
        (
            "gradient-descent",
            "",
            "sign, f after the update too",
            (("lr * w.grad", "0.05 * w.grad.sign()"), (CLEAR, CLEAR + "        f(w)\n")),
        ),
        ("gradient-descent", "", "equal steps", (("lr * w.grad", "0.05"),)),
        ("optimizer", "", "sign", ((STEP, "        w.data -= 0.03 * w.grad.sign()\n"),)),
        ("scheduler", "", "sign", ((STEP, "        w.data -= 0.03 * w.grad.sign()\n"),)),
    ]
    return [(base, tuple(filter(None, [name])), title, source_of(base, edits)) for base, name, title, edits in cells]


def cells_that_do_not_move() -> list[tuple[str, str]]:
    """(exercise, source) of cells whose x stays where it is."""
    return [
        ("gradient-descent", source_of("gradient-descent", ((UPDATE, ""),))),
        ("optimizer", source_of("optimizer", ((STEP, ""),))),
        ("scheduler", source_of("scheduler", ((STEP, ""),))),
    ]
