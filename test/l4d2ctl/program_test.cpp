// The real binary without a host: the verbs that need none, and error messages of every verb.
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "l4d2ctl/program.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me::test;
namespace fs = std::filesystem;

namespace {

/// A configuration whose source is a temporary directory. Root drops to user left4me if that exists.
class Source {
  public:
    Source() {
        fs::permissions(scratch_.path(), fs::perms::owner_all | fs::perms::group_exec |
                                             fs::perms::others_exec | fs::perms::group_read |
                                             fs::perms::others_read);
        fs::create_directory(scratch_.path() / "manifests");
        scratch_.write("config.yaml",
                       "source:\n  directory: " + (scratch_.path() / "manifests").string() + "\n");
    }
    std::string option() const { return "--config " + (scratch_.path() / "config.yaml").string() + " "; }
    void write(const std::string& name, const std::string& text) const {
        scratch_.write("manifests/" + name, text);
    }
    const Scratch& scratch() const { return scratch_; }

  private:
    Scratch scratch_;
};

std::vector<std::string> verbs() {
    std::vector<std::string> names;
    const std::string help = l4d2ctl("--help").out;
    const std::regex line("\n  ([a-z-]+)  +[A-Z]");
    const std::string list = help.substr(help.find("ubcommands:"));
    for (std::sregex_iterator it(list.begin(), list.end(), line); it != std::sregex_iterator(); ++it) {
        names.push_back((*it)[1]);
    }
    return names;
}

std::set<std::string> options_of(const std::string& verb) {
    std::set<std::string> options;
    const std::string help = l4d2ctl(verb + " --help").out;
    const std::string list = help.substr(0, help.find("Example:"));
    const std::regex option("(--[a-z][a-z-]+)");
    for (std::sregex_iterator it(list.begin(), list.end(), option); it != std::sregex_iterator(); ++it) {
        options.insert((*it)[1]);
    }
    return options;
}

}  // namespace

TEST_CASE("every mistake of usage exits 2 and says what is wrong") {
    for (const char* words : {"",
                              "aply",
                              "--nonsense",
                              "get",
                              "get nonsense",
                              "get all coop",
                              "get servers -o xml",
                              "status Upper",
                              "status ../etc",
                              "wait coop --timeout=soon",
                              "reconcile --wait=soon",
                              "describe server",
                              "describe server a b",
                              "delete",
                              "delete server",
                              "delete server -l pool=x",
                              "delete server/a overlay/b",
                              "delete coop -l pool=x",
                              "start",
                              "stop coop --all",
                              "stop overlay/coop",
                              "stop -l pool=",
                              "get servers coop -l pool=x",
                              "wait coop --timeout=90",
                              "logs a@b",
                              "lock server/coop",
                              "install overlay/coop",
                              "apply",
                              "reset",
                              "reset coop --all",
                              "restart",
                              "restart coop --all",
                              "restart coop --cancel --stagger",
                              "suspend",
                              "suspend coop",
                              "suspend --reason x",
                              "suspend coop --all --reason x",
                              "suspend coop --reason x --for soon",
                              "resume",
                              "resume coop --all",
                              "get blueprints --watch",
                              "get servers -o yaml --watch",
                              "events a@b",
                              "history -o yaml"}) {
        INFO(words);
        const Said said = l4d2ctl(words);
        CHECK(said.code == 2);
        CHECK_FALSE(said.err.empty());
        CHECK(said.out.empty());
    }
    CHECK(l4d2ctl("aply").err.find("did you mean 'apply'?") != std::string::npos);
}

TEST_CASE("valid manifests exit 0, from a file, a directory and standard input") {
    const Scratch scratch;
    const std::string file = scratch.write("set/coop.yaml", coop).string();
    const std::string counted = "valid: 1 server, 1 blueprint, 0 overlays\n";
    CHECK(l4d2ctl("validate -f " + file).out == counted);
    CHECK(l4d2ctl("validate -f " + (scratch.path() / "set").string()).out == counted);
    CHECK(l4d2ctl("validate -f -", coop).out == counted);
    CHECK(l4d2ctl("validate -f " + file).code == 0);
}

TEST_CASE("every case of the corpus of invalid sets exits 3 with its golden message") {
    std::size_t cases = 0;
    for (const fs::directory_entry& entry :
         fs::directory_iterator(fs::path(LEFT4ME_TEST_CASES) / "invalid")) {
        if (entry.path().extension() != ".expected") continue;
        ++cases;
        fs::path set = entry.path();
        set.replace_extension();
        const bool directory = fs::is_directory(set);
        if (!directory) set += ".yaml";
        INFO(set);
        const Said said = l4d2ctl("validate -f " + quote(set.string()));
        CHECK(said.code == 3);
        CHECK(said.out.empty());
        const std::string prefix = (directory ? set.string() : set.parent_path().string()) + "/";
        std::string err = said.err;
        for (std::size_t at = err.find(prefix); at != std::string::npos; at = err.find(prefix)) {
            err.erase(at, prefix.size());
        }
        CHECK(err == read_text(entry.path().string()));
    }
    CHECK(cases >= 60);
}

TEST_CASE("a missing object exits 4") {
    const Source source;
    source.write("coop.yaml", coop);
    CHECK(l4d2ctl("validate -f " + quote((source.scratch().path() / "missing.yaml").string())).code == 4);
    CHECK(l4d2ctl(source.option() + "get server nobody -o yaml").code == 4);
    CHECK(l4d2ctl(source.option() + "wait nobody").code == 4);
    CHECK(l4d2ctl(source.option() + "wait coop nobody").code == 4);
    CHECK(l4d2ctl(source.option() + "wait -l pool=none").code == 4);
    CHECK(l4d2ctl(source.option() + "logs nobody").code == 4);
    CHECK(l4d2ctl(source.option() + "logs server/nobody").err.find("get servers lists them") !=
          std::string::npos);
    const Said said = l4d2ctl("explain server.spec.prot");
    CHECK(said.code == 4);
    CHECK(said.err.find("did you mean 'port'?") != std::string::npos);
}

TEST_CASE("an invalid source, input or configuration exits 3 before the host is asked") {
    const Source source;
    source.write("coop.yaml", "apiVersion: left4me/v1\nkind: Servr\n");
    for (const char* words :
         {"diff", "get servers", "get all -o name", "describe server coop", "status coop --json"}) {
        INFO(words);
        const Said said = l4d2ctl(source.option() + words);
        CHECK(said.code == 3);
        CHECK(said.err.find("manifests/coop.yaml:2:7: ") != std::string::npos);
    }
    source.write("coop.yaml", coop);
    const Said said = l4d2ctl(source.option() + "diff -f -", "kind: Server\nmetadata: {name: x}\n");
    CHECK(said.code == 3);
    CHECK(said.err.starts_with("<stdin>:1:1: "));

    source.scratch().write("config.yaml", "sorce: {}\n");
    const Said config = l4d2ctl(source.option() + "get servers -o name");
    CHECK(config.code == 3);
    CHECK(config.err.find("config.yaml:1:1: unknown field 'sorce'; did you mean 'source'?") !=
          std::string::npos);
}

TEST_CASE("a vanished source exits 5 and names its path") {
    const Source source;
    const Said empty = l4d2ctl(source.option() + "diff");
    CHECK(empty.code == 5);
    CHECK(empty.err.find("holds no manifest") != std::string::npos);
    fs::remove(source.scratch().path() / "manifests");
    CHECK(l4d2ctl(source.option() + "get servers").code == 5);
}

TEST_CASE("input larger than allowed is refused, including standard input") {
    const Source source;
    source.scratch().write("config.yaml", "limits: {fileBytes: 1024}\n");
    const Said said = l4d2ctl(source.option() + "validate -f -", coop + std::string(2000, '#') + "\n");
    CHECK(said.code == 3);
    CHECK(l4d2ctl("validate -f /dev/zero").code == 3);
}

TEST_CASE("names and manifests are read from the source, without a host") {
    const Source source;
    source.write("coop.yaml", coop);
    CHECK(l4d2ctl(source.option() + "get all -o name").out == "server/coop\nblueprint/coop\n");
    CHECK(l4d2ctl(source.option() + "get srv coop -o yaml").out ==
          "apiVersion: left4me/v1\nkind: Server\nmetadata: {name: coop}\nspec: {blueprint: coop, port: "
          "27015}\n");
    source.write("labelled.yaml",
                 "apiVersion: left4me/v1\nkind: Server\nmetadata: {name: comp, labels: {pool: x}}\nspec: "
                 "{blueprint: coop, port: "
                 "27016}\n");
    CHECK(l4d2ctl(source.option() + "get servers -l pool=x -o name").out == "server/comp\n");
    CHECK(l4d2ctl(source.option() + "get servers -l '!pool' -o name").out == "server/coop\n");
    CHECK(l4d2ctl(source.option() + "get servers coop comp -o name").out == "server/coop\nserver/comp\n");
    CHECK(l4d2ctl(source.option() + "get server/comp -o name").out == "server/comp\n");
    // The output can be applied again.
    const Said all = l4d2ctl(source.option() + "get all -o yaml");
    CHECK(l4d2ctl("validate -f -", all.out).code == 0);
}

TEST_CASE("explain, schema and version need no host") {
    CHECK(l4d2ctl("explain server.spec.port").out.starts_with("server.spec.port"));
    CHECK(nlohmann::json::parse(l4d2ctl("schema").out).contains("$schema"));
    CHECK(l4d2ctl("version").out == l4d2ctl("--version").out);
}

TEST_CASE("a full disk does not look like success") {
    const int status = std::system((quote(L4D2CTL_PROGRAM) + " schema >/dev/full 2>/dev/null").c_str());
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 5);
}

TEST_CASE("neither HOME nor a terminal nor any other variable is needed") {
    const Said said = l4d2ctl("explain server.spec.port");
    CHECK(said.out.find('\033') == std::string::npos);
    CHECK(std::system(("env -i " + quote(L4D2CTL_PROGRAM) + " schema >/dev/null").c_str()) == 0);
}

TEST_CASE("the help of every verb has an example that begins with a command") {
    REQUIRE(verbs().size() >= 16);
    for (const std::string& verb : verbs()) {
        INFO(verb);
        const Said said = l4d2ctl(verb + " --help");
        CHECK(said.code == 0);
        CHECK(std::regex_search(said.out, std::regex("Example:\n  (sudo )?l4d2ctl " + verb)));
    }
}

TEST_CASE("every verb and option is in the manual page") {
    const std::string page = read_text(LEFT4ME_SOURCE "/docs/man/l4d2ctl.1");
    for (const std::string& verb : verbs()) {
        INFO(verb);
        CHECK(page.find("\n.It Cm " + verb) != std::string::npos);
        for (const std::string& option : options_of(verb)) {
            INFO(option);
            // mdoc writes --file as "Fl -file".
            CHECK(page.find("Fl -" + option.substr(2)) != std::string::npos);
        }
    }
}

namespace {

/// The candidates after these words, without descriptions; the last word is the one at the cursor.
std::set<std::string> offered(const std::string& words) {
    std::set<std::string> candidates;
    std::istringstream lines(l4d2ctl("__complete " + words).out);
    for (std::string line; std::getline(lines, line);) candidates.insert(line.substr(0, line.find('\t')));
    return candidates;
}

using Words = std::set<std::string>;

}  // namespace

TEST_CASE("every verb and every option of it is completed") {
    for (const std::string& verb : verbs()) {
        INFO(verb);
        CHECK(offered(verb.substr(0, 3)).contains(verb));
        const auto options = offered(verb + " -");
        for (const std::string& option : options_of(verb)) {
            INFO(option);
            CHECK(options.contains(option));
        }
    }
    CHECK_FALSE(offered("''").contains("hook"));
    CHECK_FALSE(offered("''").contains("__complete"));
}

TEST_CASE("names are completed wherever a name is allowed, also after options and their values") {
    const Source source;
    source.write("coop.yaml", coop);
    const std::string config = source.option();
    CHECK(offered(config + "get -o yaml servers ''") == Words{"coop"});
    CHECK(offered(config + "get servers -o yaml co") == Words{"coop"});
    CHECK(offered(config + "get server/co") == Words{"server/coop"});
    CHECK(offered(config + "get blueprint/") == Words{"blueprint/coop"});
    CHECK(offered("get servers " + config + "co") == Words{"coop"});
    CHECK(offered("--config=" + config.substr(9) + "stop co") == Words{"coop"});
    CHECK(offered(config + "logs -n 5 ''") == Words{"coop"});
    CHECK(offered(config + "logs -n5 --since=2h co") == Words{"coop"});
    for (const char* verb :
         {"start", "stop", "restart", "reset", "status", "wait", "logs", "suspend", "resume", "events"}) {
        INFO(verb);
        CHECK(offered(config + verb + " co") == Words{"coop"});
        CHECK(offered(config + verb + " server/c") == Words{"server/coop"});
    }
    CHECK(offered(config + "delete co") == Words{"coop"});
    CHECK(offered(config + "delete blueprint ''") == Words{"coop"});
    CHECK(offered(config + "stop coop ''").empty());
    CHECK(offered(config + "status coop ''").empty());
    CHECK(offered(config + "logs -n ''").empty());
    source.write("rates.yaml",
                 "apiVersion: left4me/v1\nkind: Overlay\nmetadata: {name: rates}\n"
                 "spec: {source: {inline: {files: {left4dead2/cfg/rates.cfg: \"rate 1\\n\"}}}}\n");
    source.write(
        "game.yaml",
        "apiVersion: left4me/v1\nkind: Installation\nmetadata: {name: beta}\nspec: {refresh: \"04:00\"}\n");
    for (const char* verb : {"rollback", "cancel", "lock"}) {
        INFO(verb);
        CHECK(offered(config + verb + " ''") == Words{"installation/beta", "overlay/rates"});
        CHECK(offered(config + verb + " overlay/r") == Words{"overlay/rates"});
    }
    CHECK(offered(config + "lock overlay/rates ''") == Words{"installation/beta"});
    for (const char* verb : {"resume", "logs"}) {
        INFO(verb);
        CHECK(offered(config + verb + " ''") == Words{"coop", "installation/beta", "overlay/rates"});
        CHECK(offered(config + verb + " overlay/r") == Words{"overlay/rates"});
    }
    CHECK(offered(config + "resume overlay/rates ''") == Words{"coop", "installation/beta"});
}

TEST_CASE("words, fields and files are completed where they belong") {
    CHECK(offered("get ''") == Words{"all", "blueprints", "hosts", "installations", "overlays", "servers"});
    CHECK(offered("get servers -o j") == Words{"json"});
    CHECK(offered("get servers --output=j") == Words{"--output=json"});
    CHECK(offered("diff -o ''") == Words{"json", "text"});
    CHECK(offered("explain bl") == Words{"blueprint"});
    CHECK(offered("explain server.") ==
          Words{"server.apiVersion", "server.kind", "server.metadata", "server.spec"});
    CHECK(offered("explain server.spec.rollout.d") == Words{"server.spec.rollout.deadline"});
    CHECK(offered("explain server.nonsense.").empty());
    CHECK(offered("apply -f ''") == Words{":files"});
    CHECK(offered("--config ''") == Words{":files"});
    CHECK(offered("init-repo --group roo") == Words{"root"});
}

TEST_CASE("completion without readable manifests offers what it can and prints no error") {
    CHECK(l4d2ctl("__complete --config /nowhere/config.yaml stop ''").err.empty());
    CHECK(l4d2ctl("__complete --config /nowhere/config.yaml stop ''").code == 0);
    CHECK(l4d2ctl("__complete").code == 0);
}
