#include "l4d2ctl/caller.hpp"

#include <pwd.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "l4d2ctl/privileges.hpp"

namespace left4me::ctl {

namespace {

/// Only root is believed when it says on whose behalf it acts.
uid_t calling_uid() {
    const uid_t real = ::getuid();
    const char* const said = std::getenv("SUDO_UID");
    if (real != 0 || said == nullptr) return real;
    uid_t uid = 0;
    const char* const end = said + std::strlen(said);
    const auto parsed = std::from_chars(said, end, uid);
    return parsed.ec == std::errc() && parsed.ptr == end ? uid : real;
}

/// What may stand in a commit's author line.
std::string printable(std::string text) {
    std::erase_if(text, [](char c) {
        return static_cast<unsigned char>(c) < ' ' || c == '<' || c == '>' || c == '\x7f';
    });
    return text;
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
        user = printable(entry.pw_name);
        name = entry.pw_gecos == nullptr ? "" : entry.pw_gecos;
        name = printable(name.substr(0, name.find(',')));
    }
    if (name.find_first_not_of(' ') == std::string::npos) name = user;
    return {.name = std::move(name), .email = user + "@" + host_name(), .message = {}};
}

std::string actor_of(const Authorship& person) {
    const std::string user = person.email.substr(0, person.email.find('@'));
    return user == service_user ? "" : user;
}

}  // namespace left4me::ctl
