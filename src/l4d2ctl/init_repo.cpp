#include <fmt/format.h>
#include <grp.h>
#include <sys/types.h>

#include <algorithm>
#include <vector>

#include "adapters/git/layout.hpp"
#include "l4d2ctl/caller.hpp"
#include "l4d2ctl/repository.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

Result<gid_t> find_group(const std::string& name) {
    std::vector<char> buffer(65536);
    group entry{};
    group* found = nullptr;
    if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
        return fail(Exit::NotFound,
                    fmt::format("there is no group {}; sudo groupadd --system {} makes it", name, name));
    }
    return found->gr_gid;
}

bool is_member(const Account& account, gid_t group) {
    int count = 256;
    std::vector<gid_t> groups(static_cast<std::size_t>(count));
    if (::getgrouplist(service_user, account.group, groups.data(), &count) < 0) count = 0;
    groups.resize(static_cast<std::size_t>(count));
    return std::find(groups.begin(), groups.end(), group) != groups.end();
}

std::string next_steps(const Session& session, const GitSettings& settings, const std::string& group,
                       bool member) {
    std::string text;
    if (!member) {
        text += fmt::format(
            "\nuser {0} is not in group {1} and could not add to what others push:\n"
            "  sudo usermod --append --groups {1} {0}\n",
            service_user, group);
    }
    if (!session.config.git) {
        text += fmt::format("\nnothing follows it yet; {} must say\n  source:\n    git: {{}}\n",
                            session.config_path);
    }
    text += fmt::format(
        "\nwho may push is in group {0} (from the next login on):\n"
        "  sudo usermod --append --groups {0} alice\n"
        "and on alice's machine:\n"
        "  git clone ssh://alice@{1}{2}\n"
        "  git push origin HEAD:{3}\n",
        group, host_name(), settings.repository.string(), settings.branch);
    return text;
}

}  // namespace

Result<std::vector<std::string>> lay_out_repository(const Session& session, const std::string& group) {
    const GitSettings settings = session.config.git.value_or(GitSettings{});
    if (!settings.remote.empty()) {
        return fail(Exit::Refused,
                    fmt::format("this host follows {} (source.git.remote): that is where to push, and there "
                                "is nothing to make here",
                                settings.remote));
    }
    if (settings.branch.find('/') != std::string::npos) {
        return fail(
            Exit::Invalid,
            fmt::format(
                "source.git.branch: {}: branches of a repository on this host have no '/' in their names",
                settings.branch));
    }
    const auto gid = find_group(group);
    if (!gid) return std::unexpected(gid.error());
    const auto account = find_account(service_user);
    if (!account) {
        return fail(Exit::Refused,
                    fmt::format("user {} does not exist on this host; run systemd-sysusers", service_user));
    }
    const auto told = git::lay_out({.repository = settings.repository,
                                    .branch = settings.branch,
                                    .reader = account->user,
                                    .group = *gid,
                                    .hooks = LEFT4ME_HOOKS});
    if (!told) return fail(Exit::Refused, told.error());
    return *told;
}

namespace {

Result<Exit> init_repo(Session& session, const std::string& group) {
    if (auto entered = enter_as_root(session); !entered) return std::unexpected(entered.error());
    const auto told = lay_out_repository(session, group);
    if (!told) return std::unexpected(told.error());
    const GitSettings settings = session.config.git.value_or(GitSettings{});
    const auto account = find_account(service_user);
    const auto gid = find_group(group);
    if (!account || !gid) return fail(Exit::Refused, "users and groups changed meanwhile; try again");
    for (const std::string& line : *told) print(line + "\n");
    if (told->empty()) print(settings.repository.string() + ": is as it should be\n");
    print(next_steps(session, settings, group, is_member(*account, *gid)));
    return Exit::Done;
}

}  // namespace

void add_init_repo(CLI::App& app, Session& session) {
    auto group = std::make_shared<std::string>(operators_group);
    Command verb =
        add_verb(app, session, "init-repo",
                 "Creates the repository on this host that operators push manifests to, or repairs it",
                 "  sudo l4d2ctl init-repo\n  sudo l4d2ctl init-repo --group admins",
                 [&session, group] { return init_repo(session, *group); });
    verb.option("--group", *group, "Members of this group may push (default left4me-operators)",
                Words::Groups);
}

}  // namespace left4me::ctl
