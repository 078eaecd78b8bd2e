// Renderings of servers: written, damaged, repaired, removed.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <set>

#include "adapters/store/executed_configs.hpp"
#include "place.hpp"

using namespace left4me;

namespace {

struct Rendered {
    Place place;
    Desired desired = one_server();
    std::shared_ptr<const TargetRendering> wanted;
    std::string at;  ///< instances/comp1/GEN/

    Rendered() {
        place.converge(desired);
        wanted = place.rendering(desired);
        at = "instances/comp1/" + wanted->digest() + "/";
    }
    std::vector<std::string> damaged() const { return place.observe(desired).servers.at("comp1").damaged; }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a server is rendered as its manifests say") {
    const Rendered host;
    CHECK(host.place.read(host.at + "server.env") == host.desired.servers.at("comp1").environment);
    CHECK(host.place.read(host.at + "layer/left4dead2/cfg/server.cfg") ==
          host.desired.servers.at("comp1").config);
    REQUIRE(host.wanted->layers().size() == 3);
    CHECK(host.wanted->layers()[0] == host.at + "layer");
    CHECK(host.wanted->layers()[1].starts_with("overlays/tick/"));
    CHECK(host.wanted->layers()[2] == "installation");
    CHECK(host.place.read(host.at + "layers") ==
          host.wanted->layers()[0] + "\n" + host.wanted->layers()[1] + "\ninstallation\n");
    for (const std::string& layer : host.wanted->layers()) CHECK(host.place.exists(layer));

    const auto server = host.place.observe(host.desired).servers.at("comp1");
    CHECK(server.managed);
    CHECK(server.current == host.wanted->digest());
    CHECK(server.damaged.empty());
    CHECK(server.runtime.empty());
}

TEST_CASE("only the game's group may read a rendering, and the game may copy its layer up") {
    const Rendered host;
    CHECK(host.place.mode("instances/comp1") == 0750);
    CHECK(host.place.mode(host.at) == 0750);
    CHECK(host.place.mode(host.at + "server.env") == 0640);
    CHECK(host.place.mode(host.at + "layers") == 0640);
    CHECK(host.place.mode(host.at + "layer/left4dead2/cfg") == 0770);
    CHECK(host.place.mode(host.at + "layer/left4dead2/cfg/server.cfg") == 0660);
}

TEST_CASE("a server that was never rendered is not managed and completely missing") {
    const Place place;
    const auto server = place.observe(one_server()).servers.at("comp1");
    CHECK_FALSE(server.managed);
    CHECK_FALSE(server.current);
    CHECK(server.damaged == Names{"."});
}

TEST_CASE("every change of the specification gives another rendering, and the old one is kept") {
    Rendered host;
    std::set<std::string> seen{host.wanted->digest()};
    auto& server = host.desired.servers.at("comp1");
    const auto is_new = [&] {
        host.place.converge(host.desired);
        const auto observed = host.place.observe(host.desired).servers.at("comp1");
        CHECK(observed.damaged.empty());
        const std::string digest = host.place.rendering(host.desired)->digest();
        CHECK(observed.current == digest);
        return seen.insert(digest).second;
    };
    server.config += "// more\n";
    CHECK(is_new());
    server.environment += "set -- -tickrate 60\n";
    CHECK(is_new());
    host.desired.overlays["tick"] = inline_source({{"left4dead2/cfg/tick.cfg", "fps_max 300\n"}});
    CHECK(is_new());
    server.overlays.clear();
    CHECK(is_new());
    server.writable = "left4dead2/logs\n";
    CHECK(is_new());
    server.writable = "";
    CHECK(is_new());
    CHECK(host.place.observe(host.desired).artifacts.size() == 7 + 2);
}

TEST_CASE("the writable list is a file of the rendering only if it is not the default") {
    Rendered host;
    CHECK_FALSE(host.place.exists(host.at + "writable"));
    host.desired.servers.at("comp1").writable = "left4dead2/logs\n";
    host.place.converge(host.desired);
    const auto server = host.place.observe(host.desired).servers.at("comp1");
    const std::string list = "instances/comp1/" + *server.current + "/writable";
    CHECK(server.damaged.empty());
    CHECK(host.place.read(list) == "left4dead2/logs\n");
    // Damage to it is noticed after the rendering was found intact, and also where it should not exist.
    host.place.file(list, "left4dead2\n");
    CHECK(host.damaged() == Names{"writable"});
    host.place.converge(host.desired);
    CHECK(host.place.read(list) == "left4dead2/logs\n");
    host.desired.servers.at("comp1").writable.reset();
    CHECK(host.place.rendering(host.desired)->digest() == host.wanted->digest());
    host.place.file(host.at + "writable", "left4dead2\n");
    CHECK(host.damaged() == Names{"writable"});
}

TEST_CASE("the config that a server runs from an overlay is rendered, and repaired like all others") {
    Rendered host;
    host.desired.overlays["tick"] = inline_source({{"left4dead2/cfg/server.cfg", "fps_max 300\n"}});
    host.desired.servers.at("comp1").execute_configs = {"tick"};
    host.place.converge(host.desired);
    const auto server = host.place.observe(host.desired).servers.at("comp1");
    CHECK(server.damaged.empty());
    const std::string at = "instances/comp1/" + *server.current + "/";
    const std::string config = "layer/left4dead2/cfg/server_tick.cfg";
    CHECK(host.place.read(at + config) == "fps_max 300\n");
    CHECK(host.place.mode(at + config) == 0660);
    host.place.file(at + config, "rcon_password mine\n");
    CHECK(host.damaged() == Names{config});
    host.place.converge(host.desired);
    CHECK(host.place.read(at + config) == "fps_max 300\n");
    host.place.remove(at + config);
    CHECK(host.damaged() == Names{config});
    host.place.converge(host.desired);
    CHECK(host.damaged().empty());
    // Where it is not wanted, it is damage, too.
    host.place.file(host.at + config, "");
    host.desired = one_server();
    CHECK(host.damaged() == Names{config});
}

TEST_CASE("the config of an overlay is read from its artifact, and nothing else is") {
    const Place place;
    const std::string digest = "0123456789abcdef";
    const std::string cfg = "overlays/o/" + digest + "/left4dead2/cfg/";
    const auto read = [&] { return store::ExecutedConfigs(place.paths).read("o", digest); };
    const auto refused = [&] {
        const auto text = read();
        REQUIRE_FALSE(text);
        return text.error();
    };
    CHECK(refused().contains("No such file"));
    place.directory(cfg);
    CHECK(refused().contains("has no left4dead2/cfg/server.cfg"));
    place.file(cfg + "rates.cfg", "fps_max 0\n");
    place.file("etc/secrets/rcon", "secret");
    for (const auto& target : {place.path("etc/secrets/rcon"), std::string("../../../../../etc/secrets/rcon"),
                               std::string("/proc/self/environ")}) {
        INFO(target);
        place.symlink(cfg + "server.cfg", target);
        CHECK_FALSE(refused().contains("secret"));
        place.remove(cfg + "server.cfg");
    }
    place.directory(cfg + "server.cfg");
    CHECK(refused().contains("is not a file of the overlay; put a copy there"));
    place.remove(cfg + "server.cfg");
    place.file(cfg + "server.cfg", std::string(store::max_config_bytes + 1, '\n'));
    CHECK(refused().contains("larger than 1 MiB"));
    place.remove(cfg + "server.cfg");
    place.symlink(cfg + "server.cfg", "rates.cfg");
    REQUIRE(read());
    CHECK(**read() == "fps_max 0\n");
}

TEST_CASE("each kind of damage to a rendering is named, and repaired") {
    const Rendered host;
    const Place& place = host.place;
    const std::string config = host.at + "layer/left4dead2/cfg/server.cfg";
    struct Damage {
        const char* what;
        std::function<void()> done;
        Names named;
    };
    const auto path = [&](const std::string& name) { return place.path(name); };
    const std::vector<Damage> kinds = {
        {"edited",
         [&] { place.file(config, "rcon_password \"mine\""); },
         {"layer/left4dead2/cfg/server.cfg"}},
        {"same size",
         [&] { place.file(config, std::string(place.read(config).size(), 'x')); },
         {"layer/left4dead2/cfg/server.cfg"}},
        {"longer",
         [&] { place.file(config, place.read(config) + "x"); },
         {"layer/left4dead2/cfg/server.cfg"}},
        {"removed", [&] { place.remove(host.at + "server.env"); }, {"server.env"}},
        {"emptied", [&] { place.file(host.at + "layers", ""); }, {"layers"}},
        {"symlink",
         [&] {
             place.file("elsewhere", place.read(config));
             place.remove(config);
             place.symlink(config, path("elsewhere"));
         },
         {"layer/left4dead2/cfg/server.cfg"}},
        {"directory",
         [&] {
             place.remove(config);
             place.directory(config + "/x");
         },
         {"layer/left4dead2/cfg/server.cfg"}},
        {"fifo",
         [&] {
             place.remove(config);
             ::mkfifo(path(config).c_str(), 0660);
         },
         {"layer/left4dead2/cfg/server.cfg"}},
        {"mode", [&] { ::chmod(path(config).c_str(), 0600); }, {"layer/left4dead2/cfg/server.cfg"}},
        {"directory mode",
         [&] { ::chmod(path(host.at + "layer/left4dead2").c_str(), 0700); },
         {"layer/left4dead2"}},
        {"directory swapped for a symlink",
         [&] {
             ::rename(path(host.at + "layer").c_str(), path("moved").c_str());
             place.symlink(host.at + "layer", path("moved"));
         },
         {"layer"}},
        {"added file",
         [&] { place.file(host.at + "layer/left4dead2/cfg/autoexec.cfg", "quit"); },
         {"layer/left4dead2/cfg/autoexec.cfg"}},
        {"added tree",
         [&] { place.file(host.at + "layer/left4dead2/addons/x.vpk", ""); },
         {"layer/left4dead2/addons"}},
        {"two at once",
         [&] {
             place.remove(config);
             place.file(host.at + "server.env", "");
         },
         {"layer/left4dead2/cfg/server.cfg", "server.env"}},
        {"all of it", [&] { place.remove(host.at); }, {"."}},
        {"a file in its place",
         [&] {
             place.remove(host.at);
             place.file("instances/comp1/" + host.wanted->digest(), "");
         },
         {"."}},
        {"a link in its place",
         [&] {
             ::rename(path("instances/comp1/" + host.wanted->digest()).c_str(), path("moved2").c_str());
             place.symlink("instances/comp1/" + host.wanted->digest(), path("moved2"));
         },
         {"."}},
    };
    for (const Damage& kind : kinds) {
        INFO(kind.what);
        kind.done();
        CHECK(host.damaged() == kind.named);
        place.converge(host.desired);
        CHECK(host.damaged().empty());
        place.remove("elsewhere");
        place.remove("moved");
        place.remove("moved2");
    }
}

TEST_CASE("damage to a rendering that was intact before is noticed") {
    const Rendered host;
    const std::string config = host.at + "layer/left4dead2/cfg/server.cfg";
    host.place.let_settle();
    CHECK(host.damaged().empty());
    REQUIRE(host.place.read("state/digests").find("instances/comp1/" + host.wanted->digest()) !=
            std::string::npos);
    CHECK(host.damaged().empty());  // from the cache now
    SECTION("an edit that keeps size and modification time") {
        struct stat before{};
        REQUIRE(::stat(host.place.path(config).c_str(), &before) == 0);
        host.place.file(config, std::string(host.place.read(config).size(), 'x'));
        const std::array<timespec, 2> times{{before.st_atim, before.st_mtim}};
        REQUIRE(::utimensat(AT_FDCWD, host.place.path(config).c_str(), times.data(), 0) == 0);
        CHECK(host.damaged() == Names{"layer/left4dead2/cfg/server.cfg"});
    }
    SECTION("an added file") {
        host.place.file(host.at + "layer/left4dead2/cfg/autoexec.cfg", "quit");
        CHECK(host.damaged() == Names{"layer/left4dead2/cfg/autoexec.cfg"});
    }
    SECTION("a mode") {
        REQUIRE(::chmod(host.place.path(host.at + "layer").c_str(), 0700) == 0);
        CHECK(host.damaged() == Names{"layer"});
    }
    SECTION("a directory swapped for a link to itself") {
        REQUIRE(::rename(host.place.path(host.at + "layer/left4dead2").c_str(),
                         host.place.path("moved").c_str()) == 0);
        host.place.symlink(host.at + "layer/left4dead2", host.place.path("moved"));
        CHECK(host.damaged() == Names{"layer/left4dead2"});
    }
    SECTION("everything gone") {
        host.place.remove(host.at);
        CHECK(host.damaged() == Names{"."});
    }
}

TEST_CASE("files that appear next to a rendering are noticed") {
    const Rendered host;
    const std::string instance = "instances/comp1";
    const auto look = [&] { return host.place.observe(host.desired); };
    host.place.let_settle();
    CHECK(look().servers.at("comp1").current == host.wanted->digest());
    REQUIRE(host.place.read("state/digests").find(instance + "\n") != std::string::npos);
    const std::string rendering = instance + "/" + host.wanted->digest();
    CHECK(look().artifacts.contains(rendering));  // from the cache now
    CHECK(look().servers.at("comp1").current == host.wanted->digest());
    SECTION("another rendering") {
        host.place.directory(instance + "/0123456789abcdef");
        CHECK(look().artifacts.contains(instance + "/0123456789abcdef"));
    }
    SECTION("no current") {
        host.place.remove(instance + "/current");
        CHECK_FALSE(look().servers.at("comp1").current);
    }
    SECTION("current renamed over") {
        host.place.symlink(instance + "/.current", "0123456789abcdef");
        REQUIRE(::rename(host.place.path(instance + "/.current").c_str(),
                         host.place.path(instance + "/current").c_str()) == 0);
        CHECK(look().servers.at("comp1").current == "0123456789abcdef");
    }
    SECTION("the rendering gone") {
        host.place.remove(rendering);
        CHECK_FALSE(look().artifacts.contains(rendering));
        CHECK(look().servers.at("comp1").damaged == Names{"."});
    }
    SECTION("a file in the place of everything") {
        host.place.remove(instance);
        host.place.file(instance, "no directory");
        CHECK_FALSE(look().servers.at("comp1").managed);
    }
}

TEST_CASE("repairing through a link never writes into what it leads to") {
    const Rendered host;
    const std::string config = host.at + "layer/left4dead2/cfg/server.cfg";
    host.place.file("victim", "precious");
    host.place.remove(config);
    SECTION("a symlink") { host.place.symlink(config, host.place.path("victim")); }
    SECTION("a hard link") {
        REQUIRE(::link(host.place.path("victim").c_str(), host.place.path(config).c_str()) == 0);
    }
    host.place.converge(host.desired);
    CHECK(host.damaged().empty());
    CHECK(host.place.read("victim") == "precious");
}

TEST_CASE("an edited file is repaired in the same inode, because a mounted overlay keeps showing that one") {
    const Rendered host;
    const std::string config = host.at + "layer/left4dead2/cfg/server.cfg";
    const auto inode = host.place.inode(config);
    host.place.file(config, "edited in place, longer than it was before, by a good deal of text");
    host.place.converge(host.desired);
    CHECK(host.damaged().empty());
    CHECK(host.place.inode(config) == inode);
}

TEST_CASE("a changed current link is drift, and is switched back") {
    const Rendered host;
    const auto current = [&] { return host.place.observe(host.desired).servers.at("comp1").current; };
    const std::string name = "instances/comp1/current";
    host.place.remove(name);
    CHECK_FALSE(current());
    host.place.symlink(name, "/etc");
    CHECK_FALSE(current());
    host.place.remove(name);
    host.place.symlink(name, "0123456789abcdef");
    CHECK(current() == "0123456789abcdef");
    host.place.converge(host.desired);
    CHECK(current() == host.wanted->digest());
    host.place.remove(name);
    host.place.file(name + "/a", "a directory by hand");
    CHECK_FALSE(current());
    host.place.converge(host.desired);
    CHECK(current() == host.wanted->digest());
    CHECK_FALSE(host.place.exists("instances/comp1/.current"));
}

TEST_CASE("an intact rendering is not rewritten") {
    const Rendered host;
    const auto inode = host.place.inode(host.at + "server.env");
    host.place.converge(host.desired);
    CHECK(host.place.inode(host.at + "server.env") == inode);
}

TEST_CASE("a server whose overlay cannot be read has no target rendering, and says why") {
    Rendered host;
    host.desired.overlays["tick"] = directory_source(host.place.path("nowhere"));
    const auto server = host.place.observe(host.desired).servers.at("comp1");
    CHECK(host.place.error(host.desired) ==
          "overlay tick: " + host.place.path("nowhere") + ": No such file or directory");
    REQUIRE(server.current_rendering);
    CHECK(server.current_rendering->layers == host.wanted->layers());
    CHECK(server.current_rendering->port == 27015);
    CHECK(server.current == host.wanted->digest());
}

TEST_CASE("the mounted rendering provides its port and its environment") {
    Rendered host;
    Observed observed;
    observed.servers["comp1"].mounted = host.wanted->layers();
    auto& server = host.desired.servers.at("comp1");
    const std::string before = server.environment;
    server.port = 27016;
    server.environment = "L4D2_NAME=comp1\nL4D2_PORT=27016\nset --\n";
    Store(host.place.paths).observe(host.place.target(host.desired), observed);
    CHECK(observed.servers["comp1"].mounted_port == 27015);
    CHECK(observed.servers["comp1"].mounted_environment == before);

    // The manifest's own rendering: known without reading it again.
    Observed converged;
    host.place.converge(host.desired);
    converged.servers["comp1"].mounted = host.place.rendering(host.desired)->layers();
    Store(host.place.paths).observe(host.place.target(host.desired), converged);
    CHECK(converged.servers["comp1"].mounted_port == 27016);
    CHECK(converged.servers["comp1"].mounted_environment == server.environment);
}

TEST_CASE("a foreign mount has no port") {
    const Rendered host;
    for (const Names& layers : {Names{}, Names{"tmpfs:tmpfs"}, Names{"/srv/x", "installation"},
                                Names{"instances/comp2/0123456789abcdef/layer", "installation"},
                                Names{"instances/comp1/0123456789abcdef/layer", "installation"}}) {
        Observed observed;
        observed.servers["comp1"].mounted = layers;
        Store(host.place.paths).observe(host.place.target(host.desired), observed);
        CHECK_FALSE(observed.servers["comp1"].mounted_port);
        CHECK_FALSE(observed.servers["comp1"].mounted_environment);
    }
}

TEST_CASE("an unmanaged server is no longer left4me's") {
    const Rendered host;
    Store store(host.place.paths);
    host.place.file("instances/.comp2/half-removed", "");
    REQUIRE(store.unmanage("comp1"));
    CHECK(host.place.names("instances").empty());
    CHECK_FALSE(host.place.observe({}).servers.contains("comp1"));
    REQUIRE(store.unmanage("comp1"));
    REQUIRE(store.unmanage("never-there"));
}

TEST_CASE("a server of the old platform is not left4me's before it is imported, nor after that is undone") {
    const Rendered host;
    host.place.file("instances/comp1/instance.env", "L4D2_PORT=27015\n");
    host.place.file("instances/old/instance.env", "L4D2_PORT=27016\n");
    CHECK_FALSE(host.place.observe({}).servers.contains("old"));
    CHECK(host.place.observe({}).servers.at("comp1").managed);
    host.place.remove("instances/comp1/current");
    const Observed undone = host.place.observe({});
    CHECK_FALSE(undone.servers.contains("comp1"));
    // It is still mounted, if the server was restarted in between, and pruned once it is not.
    CHECK(undone.artifacts.contains("instances/comp1/" + host.wanted->digest()));
}

TEST_CASE("a directory that a server wrote to is told from one that was created in its place") {
    const Rendered host;
    const auto runtime = [&] { return host.place.observe({}).servers.at("old").runtime; };
    host.place.directory("runtime/old");
    const std::string first = runtime();
    host.place.file("runtime/old/upper/left4dead2/ban.cfg", "banid 0");
    CHECK(runtime() == first);
    for (int again = 0; again < 20; ++again) {
        const std::string before = runtime();
        REQUIRE(std::filesystem::remove_all(host.place.paths.state / "runtime/old") > 0);
        host.place.directory("runtime/old");
        CHECK(runtime() != before);
    }
}

TEST_CASE("servers that are not in the manifests are found by the files that they left") {
    const Rendered host;
    host.place.directory("runtime/old");
    host.place.directory("runtime/.purged-older");
    host.place.directory("runtime/Bad");
    const auto servers = host.place.observe({}).servers;
    CHECK(servers.size() == 2);
    CHECK(servers.at("comp1").managed);
    CHECK_FALSE(servers.at("old").runtime.empty());
    CHECK_FALSE(servers.at("old").managed);
}

TEST_CASE("a rendering is written as planned, even if the manifests have changed since") {
    const Rendered host;
    host.place.remove(host.at);
    REQUIRE(Store(host.place.paths).render(*host.wanted));
    CHECK(host.damaged().empty());
}

TEST_CASE("an incomplete rendering is not reported as usable") {
    Rendered host;
    host.desired.servers.at("comp1").config += "// more\n";
    const auto server = [&host] { return host.place.observe(host.desired).servers.at("comp1"); };
    CHECK(server().current == host.wanted->digest());
    CHECK(server().current_rendering);
    SECTION("no environment") { host.place.remove(host.at + "server.env"); }
    SECTION("no list of layers") { host.place.remove(host.at + "layers"); }
    SECTION("no layer") { host.place.remove(host.at + "layer"); }
    SECTION("nothing") { host.place.remove(host.at); }
    CHECK_FALSE(server().current_rendering);
}

TEST_CASE("a rendering of a server is pruned without unmanaging the server") {
    Rendered host;
    host.desired.servers.at("comp1").config += "// more\n";
    host.place.converge(host.desired);
    REQUIRE(Store(host.place.paths).prune("instances/comp1/" + host.wanted->digest()));
    CHECK_FALSE(host.place.exists(host.at));
    CHECK(host.damaged().empty());
}
