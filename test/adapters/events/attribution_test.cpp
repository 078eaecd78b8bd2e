#include "adapters/events/attribution.hpp"

#include "support/catch.hpp"

using namespace left4me;

TEST_CASE("a line of sudo shows who ran what") {
    const auto attribution = parse_sudo(
        "   alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/systemctl stop "
        "left4me-server@comp1");
    REQUIRE(attribution);
    CHECK(attribution->user == "alice");
    CHECK(attribution->command == "/usr/bin/systemctl stop left4me-server@comp1");
    CHECK(parse_sudo("bob : PWD=/ ; USER=root ; COMMAND=/usr/bin/id"));
}

TEST_CASE("refused commands and other lines of sudo blame nobody") {
    CHECK_FALSE(
        parse_sudo("mallory : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; "
                   "COMMAND=/usr/bin/systemctl stop left4me-server@comp1"));
    CHECK_FALSE(parse_sudo("pam_unix(sudo:session): session opened for user root(uid=0) by (uid=1000)"));
    CHECK_FALSE(parse_sudo(""));
}

TEST_CASE("a command is about a server if it names its unit, all units or one of its paths") {
    CHECK(names_server("/usr/bin/systemctl stop left4me-server@comp1", "comp1"));
    CHECK(names_server("/usr/bin/systemctl stop left4me-server@comp1.service ssh", "comp1"));
    CHECK(names_server("/usr/bin/systemctl stop left4me-server@*", "comp1"));
    CHECK(names_server("/usr/bin/umount /var/lib/left4me/runtime/comp1/merged", "comp1"));
    CHECK(names_server("/usr/bin/rm -r /var/lib/left4me/instances/comp1", "comp1"));
    CHECK_FALSE(names_server("/usr/bin/systemctl stop left4me-server@comp10", "comp1"));
    CHECK_FALSE(names_server("/usr/bin/systemctl stop left4me-server@comp", "comp1"));
    CHECK_FALSE(names_server("/usr/bin/systemctl stop comp1", "comp1"));
}

TEST_CASE("a line blames only the user whose uid the kernel guarantees") {
    CHECK(is_user("root", "0"));
    CHECK(is_user("nobody", "65534"));
    CHECK_FALSE(is_user("root", "65534"));
    CHECK_FALSE(is_user("root", ""));
    CHECK_FALSE(is_user("root", "0x0"));
    CHECK_FALSE(is_user("no-such-user", "0"));
}

TEST_CASE("read-only commands blame nobody") {
    CHECK(only_reads("/usr/bin/systemctl status left4me-server@comp1"));
    CHECK(only_reads("/usr/bin/systemctl --no-pager -l show left4me-server@comp1"));
    CHECK(only_reads("/usr/bin/journalctl -u left4me-server@comp1"));
    CHECK(only_reads("/usr/bin/cat /var/lib/left4me/instances/comp1/current/layers"));
    CHECK_FALSE(only_reads("/usr/bin/systemctl stop left4me-server@comp1"));
    CHECK_FALSE(only_reads("/usr/bin/systemctl --now disable left4me-server@comp1"));
    CHECK_FALSE(only_reads("/usr/bin/umount /var/lib/left4me/runtime/comp1/merged"));
    CHECK_FALSE(only_reads("/home/alice/status"));
    CHECK_FALSE(only_reads(""));
}
