#include "l4d2ctl/privileges.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

namespace left4me::ctl {

namespace {

Result<void> refuse(const char* call) {
    return fail(Exit::Refused, fmt::format("cannot become user {}: {}: {}", service_user, call,
                                           std::generic_category().message(errno)));
}

Result<void> become(const Account& account) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refuse("PR_SET_NO_NEW_PRIVS");
    if (::initgroups(service_user, account.group) != 0) return refuse("initgroups");
    if (::setresgid(account.group, account.group, account.group) != 0) return refuse("setresgid");
    if (::setresuid(account.user, account.user, account.user) != 0) return refuse("setresuid");
    // Check the kernel's current state, not that the calls returned 0.
    uid_t real = 0;
    uid_t effective = 0;
    uid_t saved = 0;
    if (::getresuid(&real, &effective, &saved) != 0 || real != account.user || effective != account.user ||
        saved != account.user || ::setuid(0) == 0) {
        return fail(Exit::Refused, fmt::format("cannot become user {}: root was not dropped", service_user));
    }
    // We may not be allowed into root's working directory; all given files are open already.
    if (::chdir("/") != 0) return refuse("chdir");
    return {};
}

}  // namespace

std::optional<Account> find_account(const char* name) {
    std::vector<char> buffer(16384);
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwnam_r(name, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
        return std::nullopt;
    }
    return Account{entry.pw_uid, entry.pw_gid};
}

Result<void> give_up_privileges(Access access, const std::string& verb) {
    const auto account = find_account(service_user);
    if (::geteuid() == 0) {
        if (account && account->user != 0) return become(*account);
        // If left4me is not installed, the given files are the only input, as in CI.
        if (access == Access::Read) return {};
        return fail(Exit::Refused,
                    fmt::format("{}: user {} does not exist on this host; install left4me, or run "
                                "systemd-sysusers",
                                verb, service_user));
    }
    if (access == Access::Read || (account && account->user == ::geteuid())) return {};
    return fail(Exit::Refused, fmt::format("{0} changes this host: run it as root or as user {1}\n"
                                           "  sudo l4d2ctl {0} …",
                                           verb, service_user));
}

}  // namespace left4me::ctl
