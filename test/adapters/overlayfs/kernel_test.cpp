// Kernel behaviour that left4me-overlay depends on. If one of these fails, the kernel has changed.
#include "privileged/overlay/kernel.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "privileged/overlay/pinned.hpp"
#include "world.hpp"

using namespace left4me;
using namespace left4me::overlay;

namespace {

Result<> set_up(const kernel::Context& context, const World& world, const std::string& server) {
    world.directory(server + "/upper");
    world.directory(server + "/work");
    world.directory(server + "/merged");
    if (auto done = context.set("upperdir", world.path(server + "/upper")); !done) return done;
    return context.set("workdir", world.path(server + "/work"));
}

}  // namespace

TEST_CASE("the probe detects what this kernel supports") {
    World world;
    const auto context = kernel::Context::open("overlay");
    REQUIRE(context);
    CHECK(kernel::takes_single_layers() == context->set("lowerdir+", world.path("installation")).has_value());
    CHECK((best_mount_api() == MountApi::Context) == kernel::takes_single_layers());
}

TEST_CASE("a refused parameter is reported with the kernel's own message") {
    const auto context = kernel::Context::open("overlay");
    REQUIRE(context);
    check_failed(context->set("lowerdirs", "x"), Failure::System, "overlay: Unknown parameter 'lowerdirs'");
    CHECK_FALSE(kernel::Context::open("no-such-file-system"));
}

TEST_CASE("a failed lowerdir+ does not poison the context, so every call must be checked") {
    World world;
    auto context = kernel::Context::open("overlay");
    REQUIRE(context);
    REQUIRE(context->set("lowerdir+", world.path("installation")));
    REQUIRE_FALSE(context->set("lowerdir+", world.path("missing")));
    REQUIRE(set_up(*context, world, "x"));
    CHECK(context->create(0));  // mounted with one layer: the kernel reports no error
}

TEST_CASE("layers longer than 255 bytes do not go through a context as strings, pinned names do") {
    World world;
    const std::string deep = std::string(200, 'a') + "/" + std::string(200, 'b');
    world.directory(deep);
    const auto context = kernel::Context::open("overlay");
    REQUIRE(context);
    REQUIRE_FALSE(context->set("lowerdir+", world.path(deep)));
    const Fd directory(::open(world.path(deep).c_str(), O_PATH | O_DIRECTORY));
    const auto names = PinnedNames::make();
    REQUIRE(names);
    REQUIRE(names->pin("overlays/short", directory.get()));
    const auto inside = WorkingDirectory::enter(names->directory());
    CHECK(context->set("lowerdir+", "overlays/short"));
}

TEST_CASE("a remount with other layers succeeds and changes nothing") {
    World world;
    const auto layers = world.legitimate("comp1", digest_a, 3);
    REQUIRE(mount_server(world.settings, "comp1", MountApi::Options));
    const std::string data = "lowerdir=" + world.path("installation") + ":" + world.path("overlays");
    CHECK(::mount("overlay", world.path("runtime/comp1/merged").c_str(), "overlay", MS_REMOUNT,
                  data.c_str()) == 0);
    CHECK(world.mounted("comp1") == layers);
}

TEST_CASE("the kernel mounts one upper directory twice, so the lock must not let it happen") {
    World world;
    for (const char* point : {"one", "two"}) {
        world.directory(point);
        world.directory("upper");
        world.directory("work");
        const std::string data = "index=off,lowerdir=" + world.path("installation") +
                                 ",upperdir=" + world.path("upper") + ",workdir=" + world.path("work");
        CHECK(::mount("overlay", world.path(point).c_str(), "overlay", 0, data.c_str()) == 0);
    }
}

TEST_CASE("violating the kernel's rules for work directories gives an error message") {
    World world;
    const auto attempt = [&world](const std::string& upper, const std::string& work) {
        auto context = kernel::Context::open("overlay");
        REQUIRE(context);
        REQUIRE(context->set("lowerdir+", world.path("installation")));
        if (!upper.empty() && !context->set("upperdir", upper)) return false;
        if (!work.empty() && !context->set("workdir", work)) return false;
        return context->create(0).has_value();
    };
    world.directory("upper/inside");
    world.directory("work");
    world.directory("disk");
    REQUIRE(::mount("tmpfs", world.path("disk").c_str(), "tmpfs", 0, nullptr) == 0);
    CHECK(attempt(world.path("upper"), world.path("work")));
    CHECK_FALSE(attempt(world.path("upper"), world.path("upper/inside")));
    CHECK_FALSE(attempt(world.path("upper"), world.path("disk")));
    CHECK_FALSE(attempt(world.path("upper"), world.path("missing")));
    CHECK_FALSE(attempt(world.path("upper"), ""));
    CHECK_FALSE(attempt("", ""));
}

TEST_CASE("pinned names lead to what was opened, not to what took its place") {
    World world;
    world.file("overlays/a/mark", "checked");
    const auto opened =
        kernel::open_beneath(Fd(::open(world.settings.state.c_str(), O_PATH)).get(), "overlays/a");
    REQUIRE(opened);
    REQUIRE(::rename(world.path("overlays/a").c_str(), world.path("gone").c_str()) == 0);
    world.file("overlays/a/mark", "swapped");
    const auto names = PinnedNames::make();
    REQUIRE(names);
    REQUIRE(names->pin("overlays/a", opened->get()));
    const Fd mark(::openat(names->directory(), "overlays/a/mark", O_RDONLY));
    REQUIRE(mark);
    std::string text(7, '\0');
    CHECK(::read(mark.get(), text.data(), text.size()) == 7);
    CHECK(text == "checked");
}
