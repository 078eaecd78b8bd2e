#include "l4d2ctl/caller.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <vector>

#include "l4d2ctl/privileges.hpp"
#include "specs/text.hpp"

namespace left4me::ctl {

namespace {

/// Only root is trusted when it says on whose behalf it acts.
uid_t calling_uid() {
    const uid_t real = ::getuid();
    const char* const said = std::getenv("SUDO_UID");
    if (real != 0 || said == nullptr) return real;
    uid_t uid = 0;
    const char* const end = said + std::strlen(said);
    const auto parsed = std::from_chars(said, end, uid);
    return parsed.ec == std::errc() && parsed.ptr == end ? uid : real;
}

/// A user without an entry, or one who cannot be looked up, has no groups.
bool take_groups_of(uid_t user) {
    std::vector<char> buffer(16384);
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
        return ::setgroups(0, nullptr) == 0 && ::setegid(static_cast<gid_t>(-2)) == 0;
    return ::initgroups(entry.pw_name, entry.pw_gid) == 0 && ::setegid(entry.pw_gid) == 0;
}

/// Characters that may appear in a commit's author line.
std::string author_text(std::string_view text) {
    std::string shown = printable_line(text);
    std::erase_if(shown, [](char c) { return c == '<' || c == '>'; });
    return shown;
}

}  // namespace

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || name.front() == '\0') return "localhost";
    return name.data();
}

Authorship calling_person() {
    const uid_t uid = calling_uid();
    std::vector<char> buffer(16384);
    passwd entry{};
    passwd* found = nullptr;
    std::string user = "uid" + std::to_string(uid);
    std::string name;
    if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
        user = author_text(entry.pw_name);
        name = entry.pw_gecos == nullptr ? "" : entry.pw_gecos;
        name = author_text(name.substr(0, name.find(',')));
    }
    if (name.find_first_not_of(' ') == std::string::npos) name = user;
    return {.name = std::move(name), .email = user + "@" + host_name(), .message = {}};
}

Result<void> with_rights_of_caller(const std::function<void()>& open) {
    const uid_t caller = calling_uid();
    if (::geteuid() != 0 || caller == 0) {
        open();
        return {};
    }
    std::vector<gid_t> groups(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
    const gid_t group = ::getegid();
    const auto failed = [caller] {
        return fail(Exit::Refused, fmt::format("cannot open files with the permissions of uid {}: {}", caller,
                                               std::generic_category().message(errno)));
    };
    if (::getgroups(static_cast<int>(groups.size()), groups.data()) < 0) return failed();
    if (!take_groups_of(caller) || ::seteuid(caller) != 0) return failed();
    open();
    if (::seteuid(0) != 0 || ::setegid(group) != 0 || ::setgroups(groups.size(), groups.data()) != 0)
        return failed();
    return {};
}

std::string whose_rights() {
    return ::geteuid() != 0 || calling_uid() == 0 ? std::string() : operations::actor_of(calling_person());
}

}  // namespace left4me::ctl
