#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "adapters/systemd/unit_names.hpp"
#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::string name;
    unsigned lines = 200;
    bool follow = false;
};

/// Becomes journalctl. Nothing is parsed here but a name, so root stays root: the journal may be root's alone
/// to read.
Result<Exit> logs(const Options& options) {
    if (auto checked = check_name(options.name); !checked) return std::unexpected(checked.error());
    const std::string unit = "--unit=" + server_unit(options.name);
    const std::string lines = "--lines=" + std::to_string(options.lines);
    (void)std::fflush(nullptr);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg)
    ::execl("/usr/bin/journalctl", "journalctl", unit.c_str(), lines.c_str(), "--no-pager", "--no-hostname",
            options.follow ? "--follow" : nullptr, nullptr);
    return fail(Exit::Refused, "journalctl: " + std::generic_category().message(errno));
}

}  // namespace

void add_logs(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "logs", "Shows what a server said, from the journal",
                            "  l4d2ctl logs comp1 --lines 50\n  l4d2ctl logs comp1 --follow",
                            [options] { return logs(*options); });
    verb.argument("NAME", options->name, "The server");
    verb.option("-n,--lines", options->lines, "How many lines to begin with (default 200)");
    verb.flag("-f,--follow,!--no-follow", options->follow, "Go on showing new lines; by default it does not");
}

}  // namespace left4me::ctl
