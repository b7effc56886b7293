# A program in modules: each with memory of its own, none able to stop the others.
import appmodule
import mempool


class Sampler(appmodule.Module):
    """Keeps one Block for good, and fills it anew every time: no GC allocation in update()."""

    def init(self):
        self.samples = 0
        self.message = self.block()

    def update(self):
        self.message.free()
        self.owner.alloc_into(self.message, 24)
        self.message[0] = self.samples & 255
        self.samples += 1


class Forgetful(appmodule.Module):
    """Never frees. Its quota stops it, and it alone."""

    def init(self):
        self.kept = []

    def update(self):
        self.kept.append(self.alloc(60))


def report(module, what, detail):
    if what != "overrun":  # which depends on the machine
        reports.append((module.name, what, detail))


reports = []
manager = appmodule.Manager(report)
sampler = manager.add(Sampler("sampler", quota=64), appmodule.HIGH)
forgetful = manager.add(Forgetful("forgetful", quota=256))
print(manager.init_all(), "modules run")

for _ in range(6):
    manager.tick(10000)
print("sampled %d times, while the other failed %d times" % (sampler.samples, forgetful.faults))
print("first fault:", reports[0][0], repr(reports[0][2]))

print("stopped, gave back", manager.stop_all(), "bytes")
for name, what, detail in reports[-2:]:
    print("  %s: %s %d" % (name, what, detail))

assert sampler.samples == 6 and forgetful.faults == 2
assert mempool.check() == 0
assert not mempool.SMALL.used and not mempool.TINY.used
