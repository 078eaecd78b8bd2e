// What left4me-overlay refuses: everything except a plain, legitimate stack of this server.
#include <sys/stat.h>
#include <unistd.h>

#include "world.hpp"

using namespace left4me;
using namespace left4me::overlay;

namespace {

constexpr const char* instance_layer = "instances/comp1/aaaaaaaaaaaaaaaa/layer";
constexpr const char* overlay_layer = "overlays/tick/0123456789abcdef";

/// Nothing may be mounted after a refusal.
void check_refused(const World& world, MountApi api, const std::string& words,
                   Failure failure = Failure::Refused) {
    check_failed(mount_server(world.settings, "comp1", api), failure, words);
    CHECK(world.mounts("comp1") == 0);
}

}  // namespace

TEST_CASE("invalid names are refused before anything else") {
    const std::string name = GENERATE(as<std::string>{}, "", "a/b", "..", ".", "a..b", "comp@1", "a b",
                                      "Comp", "-a", "a-", "\xc3\xa4", "a\n", "a,b", "a:b", "a\\b", "a_b",
                                      std::string(33, 'a'), std::string("a\0b", 3));
    World world;
    check_failed(mount_server(world.settings, name, MountApi::Context), Failure::Usage, "name");
    check_failed(umount_server(world.settings, name), Failure::Usage, "name");
    CHECK_FALSE(world.exists("runtime"));
    CHECK(mount_server(world.settings, std::string(32, 'a'), MountApi::Context).error().failure ==
          Failure::NotRendered);
}

TEST_CASE("a server without a rendering has a different error from a refused one") {
    World world;
    check_refused(world, MountApi::Context, "instances/comp1 does not exist", Failure::NotRendered);
    world.directory("instances/comp1");
    check_refused(world, MountApi::Context, "current does not exist", Failure::NotRendered);
}

TEST_CASE("layers outside the allowed places are refused") {
    const MountApi api = either_mount_api();
    const std::string layer = GENERATE(
        as<std::string>{}, "/etc", "..", "../..", "overlays/../../etc", "overlays/tick/0123456789abcdef/..",
        "overlays/tick", "overlays", "overlays/tick/current", "overlays/tick/0123456789ABCDEF",
        "overlays/tick/0123456789abcde", "overlays//0123456789abcdef", "overlays/tick//0123456789abcdef",
        "overlays/tick/0123456789abcdef/", "./overlays/tick/0123456789abcdef",
        "overlays/Tick/0123456789abcdef", "instances/comp2/aaaaaaaaaaaaaaaa/layer",
        "instances/comp1/bbbbbbbbbbbbbbbb/layer", "runtime/comp2/upper", "state", "installation/left4dead2",
        "", " ", "overlays/a,b/0123456789abcdef", "overlays/a:b/0123456789abcdef",
        "overlays/a\\b/0123456789abcdef", "overlays/a b/0123456789abcdef");
    World world;
    world.render("comp1", digest_a, {instance_layer, layer, "installation"});
    check_refused(world, api, "is not an artifact of an overlay");
}

TEST_CASE("the first layer is the server's own and the last an installation") {
    World world;
    world.directory(overlay_layer);
    world.directory("instances/comp2/aaaaaaaaaaaaaaaa/layer");
    world.render("comp1", digest_a, {"instances/comp2/aaaaaaaaaaaaaaaa/layer", "installation"});
    check_refused(world, MountApi::Context, "not the server's own");
    for (const char* const last :
         {"../installation", "overlays/maps", "instances/comp2/aaaaaaaaaaaaaaaa/layer"}) {
        world.render("comp1", digest_a, {instance_layer, overlay_layer, last});
        check_refused(world, MountApi::Context, "not an installation");
    }
    world.render("comp1", digest_a, {instance_layer});
    check_refused(world, MountApi::Context, "at least");
    world.render("comp1", digest_a, {});
    check_refused(world, MountApi::Context, "at least");
    world.render("comp1", digest_a, {instance_layer, "installation", "installation"});
    check_refused(world, MountApi::Context, "is not an artifact");
    world.render("comp1", digest_a, {instance_layer, overlay_layer, overlay_layer, "installation"});
    check_refused(world, MountApi::Context, "is listed twice");
}

TEST_CASE("a layer that is or passes a symlink is refused") {
    const MountApi api = either_mount_api();
    World world;
    const std::string replaced = GENERATE(as<std::string>{}, "overlays/tick/0123456789abcdef",
                                          "overlays/tick", "overlays", "installation");
    world.directory(overlay_layer);
    world.render("comp1", digest_a, {instance_layer, overlay_layer, "installation"});
    REQUIRE(mount_server(world.settings, "comp1", api));
    REQUIRE(umount_server(world.settings, "comp1"));
    REQUIRE(::rename(world.path(replaced).c_str(), world.path("moved").c_str()) == 0);
    world.symlink(replaced, world.path("moved"));
    check_refused(world, api, "symlink");
}

TEST_CASE("a rendering that is or passes a symlink is refused") {
    World world;
    const std::string replaced =
        GENERATE(as<std::string>{}, "instances", "instances/comp1", "instances/comp1/aaaaaaaaaaaaaaaa",
                 "instances/comp1/aaaaaaaaaaaaaaaa/layer", "instances/comp1/aaaaaaaaaaaaaaaa/layers");
    world.render("comp1", digest_a, {instance_layer, "installation"});
    REQUIRE(::rename(world.path(replaced).c_str(), world.path("moved").c_str()) == 0);
    world.symlink(replaced, world.path("moved"));
    check_refused(world, MountApi::Context, "symlink");
}

TEST_CASE("current must name a rendering and nothing else") {
    World world;
    world.render("comp1", digest_a, {instance_layer, "installation"});
    const std::string target =
        GENERATE(as<std::string>{}, "aaaaaaaaaaaaaaaa/", "./aaaaaaaaaaaaaaaa", "../comp2/aaaaaaaaaaaaaaaa",
                 "/etc", "..", "AAAAAAAAAAAAAAAA", "aaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaa");
    world.remove("instances/comp1/current");
    world.symlink("instances/comp1/current", target);
    check_refused(world, MountApi::Context, "current does not name a rendering");
    world.remove("instances/comp1/current");
    world.directory("instances/comp1/current");
    check_refused(world, MountApi::Context, "current is not a symlink");
}

TEST_CASE("a list of layers that is not a small plain file is refused immediately") {
    World world;
    const std::string list = "instances/comp1/aaaaaaaaaaaaaaaa/layers";
    world.render("comp1", digest_a, {instance_layer, "installation"});
    world.file(list, std::string(70'000, 'a'));
    check_refused(world, MountApi::Context, "longer than 65536 bytes");
    world.remove(list);
    REQUIRE(::mkfifo(world.path(list).c_str(), 0666) == 0);
    check_refused(world, MountApi::Context, "not a regular file");
    world.remove(list);
    world.directory(list);
    check_refused(world, MountApi::Context, "not a regular file");
    world.remove(list);
    check_refused(world, MountApi::Context, "No such file", Failure::System);
}

TEST_CASE("the list is quoted without its control characters") {
    World world;
    world.render("comp1", digest_a, {instance_layer, "\x1b[31mred\x07", "installation"});
    const auto result = mount_server(world.settings, "comp1", MountApi::Context);
    REQUIRE_FALSE(result);
    CHECK(result.error().message.find('\x1b') == std::string::npos);
    CHECK(result.error().message.find("'?[31mred?'") != std::string::npos);
}

TEST_CASE("more than 500 layers are refused, 500 are mounted") {
    World world;
    world.legitimate("comp1", digest_b, 501);
    check_refused(world, MountApi::Context, "501 layers, but the kernel supports at most 500");
    const auto layers = world.legitimate("comp1", digest_a, 500);
    REQUIRE(mount_server(world.settings, "comp1", MountApi::Context));
    CHECK(world.mounted("comp1") == layers);
}

TEST_CASE("mount(2) never gets more options than it accepts") {
    World world;
    // Layer by layer up to the limit: the whole stack is always mounted.
    std::size_t most = 0;
    for (std::size_t count = 100; count < 140; ++count) {
        const auto layers = world.legitimate("comp1", digest_a, count);
        const auto result = mount_server(world.settings, "comp1", MountApi::Options);
        if (!result) {
            check_refused(world, MountApi::Options, "takes 4095 bytes of options", Failure::System);
            check_refused(world, MountApi::Options, "no more than the first " + std::to_string(most - 1),
                          Failure::System);
            break;
        }
        most = count;
        REQUIRE(world.mounted("comp1") == layers);
        REQUIRE(umount_server(world.settings, "comp1"));
    }
    CHECK(most >= 100);
    CHECK(most < 139);
}

TEST_CASE("a missing layer is named") {
    const MountApi api = either_mount_api();
    World world;
    world.render("comp1", digest_a, {instance_layer, overlay_layer, "installation"});
    check_refused(world, api, std::string(overlay_layer) + ": No such file or directory", Failure::System);
    world.file(overlay_layer, "a file");
    check_refused(world, api, std::string(overlay_layer) + " is not a directory");
}

TEST_CASE("directories that users other than root can change are refused") {
    World world;
    world.render("comp1", digest_a, {instance_layer, "installation"});
    REQUIRE(::chmod(world.settings.state.c_str(), 0775) == 0);
    check_refused(world, MountApi::Context, "the state directory must belong to root");
    REQUIRE(::chmod(world.settings.state.c_str(), 0755) == 0);
    world.directory("runtime");
    REQUIRE(::chown(world.path("runtime").c_str(), 1234, 1234) == 0);
    check_refused(world, MountApi::Context, "runtime must belong to root");
    REQUIRE(::chown(world.path("runtime").c_str(), 0, 0) == 0);
    world.directory("runtime/comp1");
    REQUIRE(::chown(world.path("runtime/comp1").c_str(), 1234, 1234) == 0);
    check_refused(world, MountApi::Context, "runtime/comp1 must belong to root");
}

TEST_CASE("symlinks in place of upper, work, merged or the runtime are refused") {
    const MountApi api = either_mount_api();
    World world;
    world.render("comp1", digest_a, {instance_layer, "installation"});
    world.directory("elsewhere");
    const std::string name = GENERATE(as<std::string>{}, "upper", "work", "merged");
    world.directory("runtime/comp1");
    world.symlink("runtime/comp1/" + name, world.path("elsewhere"));
    check_refused(world, api, "symlink");
    world.remove("runtime/comp1");
    world.symlink("runtime/comp1", world.path("elsewhere"));
    check_failed(mount_server(world.settings, "comp1", api), Failure::System, "runtime/comp1");
}
