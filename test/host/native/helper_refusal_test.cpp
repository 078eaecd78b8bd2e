#include <pwd.h>

#include "host/native/support.hpp"
#include "support/catch.hpp"

using namespace left4me;
using namespace left4me::host;
namespace fs = std::filesystem;

namespace {

const std::vector<const char*> methods{"Enable",     "Disable",     "Start",       "Stop",
                                       "Restart",    "Attach",      "ResetFailed", "Purge",
                                       "StartBuild", "StartScript", "StopBuild",   "Refresh"};

uid_t uid_of(const char* user) {
    const passwd* entry = getpwnam(user);
    REQUIRE(entry != nullptr);
    return entry->pw_uid;
}

/// Everything that the helper could have changed.
std::string world() {
    return run("systemctl list-units --plain --no-legend 'left4me-server@*' 'left4me-umount@*' "
               "'left4me-attach@*' 'left4me-build@*'; "
               "ls -R /etc/systemd/system /run/systemd/system; ls -l /var/lib/left4me/runtime")
        .output;
}

/// A bus policy that admits everybody.
class OpenedPolicy {
  public:
    OpenedPolicy() {
        write(file_,
              "<busconfig><policy context=\"mandatory\"><allow send_destination=\"org.left4me.Helper1\"/>"
              "</policy></busconfig>");
        reload();
    }
    OpenedPolicy(const OpenedPolicy&) = delete;
    OpenedPolicy& operator=(const OpenedPolicy&) = delete;
    ~OpenedPolicy() {
        fs::remove(file_);
        reload();
    }

  private:
    static void reload() { (void)run("systemctl reload dbus && sleep 0.2"); }
    const fs::path file_ = "/etc/dbus-1/system.d/zz-opened.conf";
};

/// Only root and left4me get an answer, and nothing has happened. Returns the refusals.
std::vector<std::string> refusals_of_strangers() {
    const std::string before = world();
    std::vector<std::string> words;
    for (const char* user : {"nobody", "left4me-server", "daemon"}) {
        for (const char* method : methods) {
            INFO(user << " " << method);
            const Answers answers = ask_as(uid_of(user), method, {"x"});
            REQUIRE_FALSE(answers);
            CHECK(answers.error().name == "org.freedesktop.DBus.Error.AccessDenied");
            words.push_back(answers.error().message);
        }
    }
    CHECK(world() == before);
    return words;
}

}  // namespace

TEST_CASE("the helper refuses names that no manifest could have, and the whole request with them") {
    PlainServers servers;
    servers.add("good");
    const std::string before = world();
    const std::vector<std::string> bad{"/",           "..",  "@",         "",    std::string(33, 'a'),
                                       "f\xc3\xbcnf", "a/b", "../x",      "a@b", "A",
                                       "a b",         "-a",  "a-",        "a.b", "a\\b",
                                       "a\nb",        "%i",  "a.service", "*",   "[a-z]",
                                       "a\tb"};
    for (const char* method : methods) {
        for (const std::string& name : bad) {
            INFO(method << " \"" << name << '"');
            const Answers answers = ask(method, {"good", name});
            REQUIRE_FALSE(answers);
            CHECK(answers.error().name == "org.freedesktop.DBus.Error.InvalidArgs");
        }
    }
    CHECK(world() == before);
}

TEST_CASE("4096 names are accepted, one more is refused") {
    auto names = numbered("n-", 4096);
    const Answers all = ask("Disable", names);
    REQUIRE(all);
    CHECK(all->size() == 4096);
    for (const Answer& answer : *all) CHECK(answer.error.empty());
    names.push_back("one-more");
    const Answers refused = ask("Disable", names);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().name == "org.freedesktop.DBus.Error.LimitsExceeded");
}

TEST_CASE("a request without names gets an empty reply") {
    for (const char* method : methods) {
        INFO(method);
        const Answers answers = ask(method, {});
        REQUIRE(answers);
        CHECK(answers->empty());
    }
}

TEST_CASE("the bus does not carry anybody else's requests to the helper, not even the game's") {
    for (const std::string& words : refusals_of_strangers())
        CHECK(words != "only root and user left4me may ask for this");
}

TEST_CASE("even with an open bus policy, the helper refuses other users") {
    const OpenedPolicy opened;
    for (const std::string& words : refusals_of_strangers())
        CHECK(words == "only root and user left4me may ask for this");
}

TEST_CASE("user left4me may call the helper") {
    PlainServers servers;
    servers.add_all({"one", "two"});
    const uid_t left4me = uid_of("left4me");
    for (const char* method :
         {"Enable", "Start", "Restart", "Attach", "Stop", "ResetFailed", "Disable", "Purge"}) {
        INFO(method);
        const Answers answers = ask_as(left4me, method, {"one", "two"});
        REQUIRE(answers);
        REQUIRE(answers->size() == 2);
        for (const Answer& answer : *answers) CHECK(answer.error == "");
        if (std::string(method) == "Enable")
            CHECK(run("systemctl is-enabled " + unit("two")).output == "enabled\n");
        if (std::string(method) == "Stop")
            for (const char* server : {"one", "two"})  // or Purge would be refused
                CHECK(eventually([&] { return property(server, "ActiveState") == "inactive"; }));
    }
}
