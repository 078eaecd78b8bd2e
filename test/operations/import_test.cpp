// What an import reads of the old platform before it changes anything.
#include "operations/import.hpp"

#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using namespace left4me::operations;

TEST_CASE("an overlay with a link that leads to nothing is named before anything is imported") {
    const test::Scratch scratch;
    Context context;
    context.paths.state = scratch.path() / "state";
    context.paths.cgroups = scratch.path() / "cgroups";
    context.paths.mountinfo = scratch.write("mountinfo", "");
    const std::string state = context.paths.state.string();
    scratch.write("state/instances/old/instance.env", "L4D2_PORT=27015\nL4D2_ARGS=\nL4D2_LOWERDIRS=" + state +
                                                          "/overlays/3:" + state + "/installation\n");
    scratch.write("state/overlays/3/left4dead2/cfg/rates.cfg", "sv_maxrate 100000\n");
    std::filesystem::create_symlink("rates.cfg", scratch.path() / "state/overlays/3/left4dead2/cfg/good.cfg");
    const auto import = plan_import(context);
    INFO((import ? "" : import.error().message));
    REQUIRE(import);
    CHECK(import->objects.back() == "overlay/old-3");

    std::filesystem::create_symlink("/nowhere", scratch.path() / "state/overlays/3/left4dead2/gone.vpk");
    const auto refused = plan_import(context);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.starts_with(state + "/overlays/3/left4dead2/gone.vpk is a link"));
    CHECK(refused.error().message.ends_with("nothing was imported"));
}
