#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>

#include "adapters/fd.hpp"
#include "adapters/files.hpp"
#include "adapters/git/layout.hpp"
#include "l4d2ctl/verbs.hpp"
#include "operations/push.hpp"
#include "operations/reconcile.hpp"

// The program of the repository's hooks, run as the user who pushes. Standard error reaches that person, each
// line with the prefix `remote: `.

namespace left4me::ctl {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_input = std::size_t{1} << 20U;

/// One line of a hook's input: `OLD NEW REFERENCE`.
struct Update {
    std::string before;
    std::string now;
    std::string reference;
};

bool is_nothing(const std::string& id) { return id.find_first_not_of('0') == std::string::npos; }

Result<std::vector<Update>> read_updates() {
    const auto text = read_descriptor(STDIN_FILENO, "<stdin>", max_input);
    if (!text) return fail(Exit::Refused, text.error());
    std::vector<Update> updates;
    std::string_view rest = *text;
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        const std::size_t first = line.find(' ');
        const std::size_t second = line.find(' ', first + 1);
        if (first == std::string_view::npos || second == std::string_view::npos) {
            return fail(Exit::Usage,
                        "not what git gives to a hook; only the repository's hooks run this verb");
        }
        updates.push_back({std::string(line.substr(0, first)),
                           std::string(line.substr(first + 1, second - first - 1)),
                           std::string(line.substr(second + 1))});
    }
    return updates;
}

/// The configured branch's update, if it is among them and this repository is the one that the host follows.
const Update* find_ours(const Session& session, const std::vector<Update>& updates) {
    const GitSettings settings = session.config.git.value_or(GitSettings{});
    const auto found = std::find_if(updates.begin(), updates.end(), [&settings](const Update& update) {
        return update.reference == "refs/heads/" + settings.branch;
    });
    return found == updates.end() ? nullptr : &*found;
}

std::string why_not_followed(const Session& session, const fs::path& here) {
    std::error_code ignored;
    if (!session.config.git) {
        return fmt::format("{} does not name a git source: nothing follows this repository yet",
                           session.config_path);
    }
    if (!fs::equivalent(session.config.git->repository, here, ignored)) {
        return fmt::format("{} names another repository ({}): nothing follows this one", session.config_path,
                           session.config.git->repository.string());
    }
    return {};
}

/// Why the repository refuses all of the updates: other branches matter to other people who push.
std::string why_refused(const Update& update, const fs::path& here) {
    constexpr std::array<std::string_view, 2> places{"refs/heads/", "refs/tags/"};
    const auto place = std::find_if(places.begin(), places.end(), [&update](std::string_view prefix) {
        return update.reference.starts_with(prefix);
    });
    // Any operator could replace a directory with a link, and git would write through it.
    if (place == places.end() || update.reference.find('/', place->size()) != std::string::npos) {
        return fmt::format("{}: this repository keeps branches and tags, and their names have no '/'",
                           update.reference);
    }
    // Git would lock packed-refs, in the directory where only root writes.
    if (is_nothing(update.now)) {
        return fmt::format(
            "{0}: a push deletes nothing here; on this host: sudo git -C {1} update-ref -d {0}",
            update.reference, here.string());
    }
    std::error_code ignored;
    const auto kind = fs::symlink_status(here / update.reference, ignored).type();
    if (kind != fs::file_type::regular && kind != fs::file_type::not_found) {
        return fmt::format(
            "{}: something other than a reference is in its place; sudo l4d2ctl init-repo moves it "
            "out of the way",
            update.reference);
    }
    return {};
}

Result<void> check_updates(const std::vector<Update>& updates, const fs::path& here) {
    if (git::is_open_to_others(here)) {
        return fail(
            Exit::Refused,
            fmt::format("left4me: {}: has the layout of an earlier release, in which anybody who pushes can "
                        "redirect everybody's git; on this host:\n  sudo l4d2ctl init-repo",
                        here.string()));
    }
    for (const Update& update : updates) {
        if (const std::string why = why_refused(update, here); !why.empty())
            return fail(Exit::Refused, "left4me: " + why);
    }
    return {};
}

void say(const std::string& text) { print_error("left4me: " + text); }

Result<Exit> check_push(const Session& session, const Update& update, const fs::path& here) {
    const GitSettings settings = session.config.git.value_or(GitSettings{});
    if (!settings.remote.empty()) {
        return fail(Exit::Refused, fmt::format("left4me: this host follows branch {} of {}; push there\n",
                                               settings.branch, settings.remote));
    }
    if (is_nothing(update.now)) {
        return fail(
            Exit::Refused,
            fmt::format("left4me: branch {} is followed by this host and is not deleted\n", settings.branch));
    }
    const char* const quarantine = std::getenv("GIT_OBJECT_DIRECTORY");
    const auto checked =
        operations::check_pushed(session, here, update.now, quarantine == nullptr ? "" : quarantine);
    if (checked) return Exit::Done;
    return fail(Exit::Invalid,
                fmt::format("{}left4me: branch {} does not move; fix this, commit and push again\n",
                            checked.error().message, settings.branch));
}

Result<Exit> tell_pushed(const Session& session, const Update& update, const fs::path& here) {
    if (const std::string why = why_not_followed(session, here); !why.empty()) {
        say(why);
        return Exit::Done;
    }
    const GitSettings& settings = *session.config.git;
    say(fmt::format("{} is at {} now", settings.branch, update.now));
    const bool waits = !is_nothing(update.before) && !session.source->follows(update.before, update.now);
    if (waits) {
        say(
            fmt::format("that does not descend from {}: it waits until somebody runs on this host\n"
                        "  sudo l4d2ctl approve {}",
                        update.before.substr(0, 12), update.now));
    }
    const auto triggered = operations::trigger(session);
    if (triggered) {
        if (!waits)
            say("the host is being changed; to watch it\n  l4d2ctl events --follow\n  l4d2ctl get servers "
                "--watch");
        return Exit::Done;
    }
    switch (triggered.error()) {
        case TriggerError::Refused:
            // The daemon watches the repository, too.
            say("the host notices it within 30 s; pushes of members of the repository's group are noticed "
                "immediately");
            break;
        case TriggerError::NoDaemon:
            say("no daemon runs on this host: left4me-reconcile.timer applies it, if enabled; or run now\n"
                "  sudo l4d2ctl reconcile");
            break;
    }
    return Exit::Done;
}

/// A person whose git names a new branch `master` would wait for a change that never comes.
void tell_not_followed(const Session& session, const std::vector<Update>& updates) {
    constexpr std::string_view prefix = "refs/heads/";
    if (!session.config.git || !session.config.git->remote.empty()) return;
    const std::string& branch = session.config.git->branch;
    for (const Update& update : updates) {
        if (!update.reference.starts_with(prefix)) continue;
        const std::string pushed = update.reference.substr(prefix.size());
        say(
            fmt::format("this host follows {0}, so {1} changes nothing on it; to put it in force\n"
                        "  git push origin {1}:{0}",
                        branch, pushed));
    }
}

Result<Exit> hook(Session& session, const std::string& which) {
    std::error_code ignored;
    const fs::path here = fs::current_path(ignored);
    if (auto entered = drop_privileges_and_configure(session, Access::Read); !entered)
        return std::unexpected(entered.error());
    const auto updates = read_updates();
    if (!updates) return std::unexpected(updates.error());
    const bool before = which == "pre-receive";
    const Update* const update = find_ours(session, *updates);
    if (before && (update == nullptr || !is_nothing(update->now))) {
        if (auto checked = check_updates(*updates, here); !checked) return std::unexpected(checked.error());
    }
    if (update == nullptr) {
        if (!before) tell_not_followed(session, *updates);
        return Exit::Done;
    }
    return before ? check_push(session, *update, here) : tell_pushed(session, *update, here);
}

}  // namespace

void add_hook(CLI::App& app, Session& session) {
    auto which = std::make_shared<std::string>();
    Command verb =
        add_verb(app, session, "hook", "What the repository's hooks run", "  l4d2ctl hook pre-receive",
                 [&session, which] { return hook(session, *which); });
    verb.hide();
    verb.choice("HOOK", *which, {"pre-receive", "post-receive"}, "Which one");
}

}  // namespace left4me::ctl
