// An attacker who controls the content of the state directory swaps files while root mounts.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "world.hpp"

using namespace left4me;
using namespace left4me::overlay;

namespace {

constexpr const char* layer = "overlays/tick/0123456789abcdef";
constexpr const char* instance_layer = "instances/comp1/aaaaaaaaaaaaaaaa/layer";

/// Swaps two names as fast as it can until it is told to stop.
class Swapper {
  public:
    Swapper(std::string one, std::string other)
        : thread_([this, one = std::move(one), other = std::move(other)] {
              while (!stop_) {
                  if (::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) == 0)
                      ++swaps_;
              }
          }) {}
    ~Swapper() {
        stop_ = true;
        thread_.join();
    }
    Swapper(const Swapper&) = delete;
    Swapper& operator=(const Swapper&) = delete;
    long swaps() const { return swaps_; }

  private:
    std::atomic<bool> stop_{false};
    std::atomic<long> swaps_{0};
    std::thread thread_;
};

}  // namespace

TEST_CASE("a layer swapped between check and use is never the foreign tree") {
    const MountApi api = either_mount_api();
    const std::string swapped = GENERATE(as<std::string>{}, "overlays/tick/0123456789abcdef", "overlays/tick",
                                         "overlays", "installation");
    World world;
    world.file(std::string(layer) + "/mark", "ours");
    world.render("comp1", digest_a, {instance_layer, layer, "installation"});
    // The foreign tree has everything beneath the swapped name, so that a lookup through it would succeed.
    world.file("foreign/secret", "not for players");
    world.directory("foreign/tick/0123456789abcdef");
    world.directory("foreign/0123456789abcdef");
    for (const char* tree : {"foreign", "foreign/tick/0123456789abcdef", "foreign/0123456789abcdef"}) {
        world.file(std::string(tree) + "/secret", "not for players");
    }
    world.symlink("trap", world.path("foreign"));

    int mounted = 0;
    int refused = 0;
    const Swapper swapper(world.path(swapped), world.path("trap"));
    for (int i = 0; i < 500; ++i) {
        const auto result = mount_server(world.settings, "comp1", api);
        if (!result) {
            ++refused;
            INFO(result.error().message);
            REQUIRE((result.error().failure == Failure::Refused || result.error().number != 0));
            REQUIRE(world.mounts("comp1") == 0);
            continue;
        }
        ++mounted;
        REQUIRE_FALSE(world.exists("runtime/comp1/merged/secret"));
        REQUIRE(world.read("runtime/comp1/merged/mark") == "ours");
        REQUIRE(world.read("runtime/comp1/merged/srcds_run") == "the game");
        REQUIRE(umount_server(world.settings, "comp1"));
    }
    // Both outcomes must have occurred, or nothing was tested.
    CHECK(mounted > 0);
    CHECK(refused > 0);
    CHECK(swapper.swaps() > 500);
}

TEST_CASE("a list of layers swapped while it is read gives one of the two or an error") {
    const MountApi api = either_mount_api();
    World world;
    world.file(std::string(layer) + "/mark", "ours");
    world.render("comp1", digest_b,
                 {"instances/comp1/bbbbbbbbbbbbbbbb/layer", "../../../../etc", "installation"});
    world.render("comp1", digest_a, {instance_layer, layer, "installation"});
    const Swapper swapper(world.path("instances/comp1/aaaaaaaaaaaaaaaa"),
                          world.path("instances/comp1/bbbbbbbbbbbbbbbb"));
    int mounted = 0;
    for (int i = 0; i < 500; ++i) {
        if (!mount_server(world.settings, "comp1", api)) continue;
        ++mounted;
        REQUIRE(world.mounted("comp1") == std::vector<std::string>{instance_layer, layer, "installation"});
        REQUIRE(world.read("runtime/comp1/merged/mark") == "ours");
        REQUIRE(umount_server(world.settings, "comp1"));
    }
    CHECK(mounted > 0);
}
