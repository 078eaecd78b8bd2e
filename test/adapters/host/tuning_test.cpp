// What is read of a host about its tuning: left4me's drop-ins, and the cores.
#include "adapters/host/cores.hpp"

#include <sys/stat.h>

#include "adapters/systemd/drop_ins.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using namespace left4me::test;

TEST_CASE("hyper-threads of one core are together, and what is offline is left out") {
    const Scratch scratch;
    Paths paths;
    paths.cpus = scratch.path();
    CHECK(read_cores(paths).empty());
    (void)scratch.write("online", "0-1,4-6\n");
    for (const char* cpu : {"0", "4"})
        (void)scratch.write(std::string("cpu") + cpu + "/topology/thread_siblings_list", "0,4\n");
    (void)scratch.write("cpu1/topology/thread_siblings_list", "1,3\n");
    (void)scratch.write("cpu5/topology/thread_siblings_list", "5-6\n");
    CHECK(read_cores(paths) == std::vector<Cpus>{{0, 4}, {1}, {5, 6}});
}

TEST_CASE("left4me's drop-ins are found, and nobody else's") {
    const Scratch scratch;
    Paths paths;
    paths.systemd_etc = scratch.path();
    CHECK(read_drop_ins(paths).texts.empty());
    CHECK_FALSE(read_drop_ins(paths).written);
    for (const char* file : {"system.slice.d/50-left4me.conf", "left4me-server@.service.d/50-left4me.conf",
                             "left4me-server@a.service.d/50-left4me.conf",
                             "left4me-server@a.service.d/60-mine.conf", "ssh.service.d/50-left4me.conf",
                             "system.slice/50-left4me.conf", "left4me-server@A.service.d/50-left4me.conf"})
        (void)scratch.write(file, file);
    const DropIns found = read_drop_ins(paths);
    CHECK(found.texts == std::map<std::string, std::string>{
                             {"left4me-server@.service", "left4me-server@.service.d/50-left4me.conf"},
                             {"left4me-server@a.service", "left4me-server@a.service.d/50-left4me.conf"},
                             {"system.slice", "system.slice.d/50-left4me.conf"}});
    CHECK(found.written);
}

TEST_CASE("what cannot be read in the place of a drop-in is another text, and holds nobody up") {
    const Scratch scratch;
    Paths paths;
    paths.systemd_etc = scratch.path();
    std::filesystem::create_directories(scratch.path() / "user.slice.d/50-left4me.conf");
    std::filesystem::create_directories(scratch.path() / "init.scope.d");
    REQUIRE(::mkfifo((scratch.path() / "init.scope.d/50-left4me.conf").c_str(), 0600) == 0);
    const DropIns found = read_drop_ins(paths);
    CHECK(found.texts.size() == 2);
    for (const auto& [unit, text] : found.texts) CHECK_FALSE(text.empty());
}
