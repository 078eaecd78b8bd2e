#include <fmt/format.h>

#include <algorithm>

#include "specs/remote_url.hpp"
#include "specs/text.hpp"
#include "specs/text_checks.hpp"

namespace left4me {
namespace {

constexpr std::string_view https = "https://";
constexpr std::string_view http = "http://";
constexpr std::string_view ssh = "ssh://";

/// An empty component, `.` or `..`; "" if there is none. `path` has no leading slash.
std::string_view odd_component(std::string_view path) {
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view component = path.substr(begin, end - begin);
        if (component.empty()) return "an empty component ('//' or a '/' at the end)";
        if (component == ".") return "'.'";
        if (component == "..") return "'..'";
        begin = end + 1;
    }
    return "";
}

}  // namespace

bool lies_in(std::string_view inner, std::string_view outer) {
    if (!inner.starts_with(outer)) return false;
    return inner.size() == outer.size() || outer.ends_with('/') || inner[outer.size()] == '/';
}

void check_directory(std::string_view text, Violations& violations) {
    const auto complain = [&](Rule rule, std::string_view why) {
        violations.push_back({rule, fmt::format("{} {}", in_quotes(text), why)});
    };
    if (!text.starts_with('/')) {
        return complain(Rule::DirectoryInvalid, "is not an absolute path; begin it with '/'");
    }
    if (text == "/") return complain(Rule::DirectoryInvalid, "is the whole host; name a directory in it");
    if (const std::string_view odd = odd_component(text.substr(1)); !odd.empty()) {
        return complain(Rule::DirectoryInvalid,
                        fmt::format("holds {}; write the path as `realpath -s` prints it", odd));
    }
    if (lies_in(text, state_directory)) {
        return complain(
            Rule::DirectoryInState,
            fmt::format("is in {}, which belongs to left4me; put the files elsewhere", state_directory));
    }
    if (lies_in(state_directory, text)) {
        complain(Rule::DirectoryInState,
                 fmt::format("contains {}, which belongs to left4me; name a directory further down",
                             state_directory));
    }
}

void check_archive_url(std::string_view text, Violations& violations) {
    if (text.starts_with('/')) return check_directory(text, violations);
    if (text.starts_with(https) || text.starts_with(http)) return check_https_url(text, violations);
    violations.push_back(
        {Rule::UrlInvalid,
         fmt::format("{} is neither an https:// address nor the absolute path of a file on this host",
                     in_quotes(text))});
}

void check_https_url(std::string_view text, Violations& violations) {
    const auto complain = [&](std::string_view why) {
        violations.push_back({Rule::UrlInvalid, fmt::format("{} {}", in_quotes(text), why)});
    };
    if (text.starts_with(http)) return complain("is not encrypted; write https://");
    if (!text.starts_with(https)) return complain("is not an https:// address");
    const std::string_view rest = text.substr(https.size());
    const std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
    if (host.empty()) return complain("names no host");
    if (host.contains('@')) return complain("contains a user or a password, which everybody can read here");
    if (text.contains('#')) return complain("contains '#', which no server gets to see; remove that part");
    if (text.contains(' ')) complain("contains a blank; write it as %20");
}

namespace {

/// `git@example.org:pack.git`, as ssh(1) understands it.
bool is_ssh_place(std::string_view text) {
    const std::size_t colon = text.find(':');
    return colon != std::string_view::npos && !text.substr(0, colon).contains('/') &&
           !text.substr(colon).starts_with("://");
}

/// Why git would take it for something else, or cannot; "" if it would not.
std::string_view odd_ssh_url(std::string_view text) {
    const auto url = parse_remote_url(std::string(text));
    if (!url)
        return "is no address of ssh; write ssh://git@example.org/pack.git, or git@example.org:pack.git";
    if (url->path.starts_with('-')) return "has a path that a server would take for an option";
    if (text.starts_with(ssh) && text.contains('%'))
        return "contains '%'; write git@example.org:PATH with the path as it is";
    return "";
}

}  // namespace

void check_git_url(std::string_view text, Violations& violations) {
    if (text.starts_with('/')) return check_directory(text, violations);
    const auto complain = [&](std::string_view why) {
        violations.push_back({Rule::UrlInvalid, fmt::format("{} {}", in_quotes(text), why)});
    };
    if (text.starts_with(https)) {
        if (text.contains('?')) return complain("contains '?', which no address of a repository has");
        if (text.ends_with('/')) return complain("ends with '/'; remove it");
        return check_https_url(text, violations);
    }
    if (text.starts_with(http) || text.starts_with("git://"))
        return complain("is not encrypted; write https://");
    if (text.starts_with(ssh) || is_ssh_place(text)) {
        const std::string_view odd = odd_ssh_url(text);
        return odd.empty() ? void() : complain(odd);
    }
    complain(
        "is neither an https:// nor an ssh:// address, nor the absolute path of a repository on this host");
}

void check_host_key(std::string_view text, Violations& violations) {
    const auto complain = [&](std::string_view why) {
        violations.push_back({Rule::ValueInvalid, fmt::format("{} {}", in_quotes(text), why)});
    };
    const std::size_t blank = std::min(text.find(' '), text.size());
    const std::string_view kind = text.substr(0, blank);
    std::string_view key = text.substr(std::min(blank + 1, text.size()));
    if (kind == "ssh-rsa") {
        return complain(
            "is an RSA key, which left4me does not support; pin the server's Ed25519 key, which `ssh-keyscan "
            "-t ed25519 HOST` prints");
    }
    for (int padding = 0; padding < 2 && key.ends_with('='); ++padding) key.remove_suffix(1);
    constexpr std::size_t of_ed25519 = 68;
    constexpr std::size_t least_of_ecdsa = 136;
    constexpr std::size_t most_of_ecdsa = 240;
    const bool is_base64 = key.starts_with("AAAA") && std::all_of(key.begin(), key.end(), [](char c) {
                               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                      (c >= '0' && c <= '9') || c == '+' || c == '/';
                           });
    const bool is_ecdsa =
        kind == "ecdsa-sha2-nistp256" || kind == "ecdsa-sha2-nistp384" || kind == "ecdsa-sha2-nistp521";
    const bool fits = kind == "ssh-ed25519"
                          ? text.size() - blank - 1 == of_ed25519 && key.size() == of_ed25519
                          : is_ecdsa && key.size() >= least_of_ecdsa && key.size() <= most_of_ecdsa;
    if (!is_base64 || !fits) {
        complain(
            "is not the public key of a server; write `ssh-ed25519 AAAA…`, as `ssh-keyscan -t ed25519 HOST` "
            "prints it after the host's name");
    }
}

void check_git_ref(std::string_view text, Violations& violations) {
    const auto complain = [&](std::string_view why) {
        violations.push_back({Rule::ValueInvalid, fmt::format("{} {}", in_quotes(text), why)});
    };
    if (text.empty()) return complain("is empty; name a branch, a tag or a commit, or remove the line");
    constexpr std::string_view lock = ".lock";
    const auto is_odd = [&](std::string_view component) {
        return component.empty() || component.starts_with('.') || component.ends_with(lock);
    };
    bool odd = text == "@" || text.starts_with('-') || text.ends_with('.') || text.contains("..") ||
               text.contains("@{") || text.find_first_of(" ~^:?*[\\") != std::string_view::npos;
    for (std::size_t begin = 0; begin <= text.size() && !odd;) {
        const std::size_t end = std::min(text.find('/', begin), text.size());
        odd = is_odd(text.substr(begin, end - begin));
        begin = end + 1;
    }
    if (odd) complain("is no name of a branch or tag, nor the 40 digits of a commit");
}

void check_tree_path(std::string_view text, Violations& violations) {
    if (text != ".") check_file_path(text, violations);
}

bool is_workshop_id(std::string_view text) {
    constexpr std::size_t digits = 19;  // every such number has 64 bits
    return !text.empty() && text.size() <= digits && !text.starts_with('0') &&
           text.find_first_not_of("0123456789") == std::string_view::npos;
}

void check_workshop_id(std::string_view text, Violations& violations) {
    if (is_workshop_id(text)) return;
    violations.push_back(
        {Rule::ValueInvalid,
         fmt::format("{} is not the number of a workshop item; write the digits behind `?id=` in its "
                     "address",
                     in_quotes(text))});
}

void check_build_id(std::string_view text, Violations& violations) {
    constexpr std::size_t digits = 10;
    const bool number = text.find_first_not_of("0123456789") == std::string_view::npos;
    if (number && !text.empty() && text.size() <= digits && text.front() != '0') return;
    violations.push_back(
        {Rule::ValueInvalid, fmt::format("{} is not the number of a build, as \"16546402\"; l4d2ctl describe "
                                         "installation/NAME shows the present one",
                                         in_quotes(text))});
}

void check_sha256(std::string_view text, Violations& violations) {
    constexpr std::size_t digits = 64;
    if (text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos) return;
    violations.push_back({Rule::ValueInvalid,
                          fmt::format("{} is not a SHA-256; write the 64 digits 0-9 and a-f that `sha256sum "
                                      "FILE` prints",
                                      in_quotes(text))});
}

void check_host_path(std::string_view text, Violations& violations) {
    if (text.starts_with('/')) return;
    violations.push_back(
        {Rule::Other, fmt::format("{} is not an absolute path; begin it with '/'", in_quotes(text))});
}

void check_file_path(std::string_view text, Violations& violations) {
    const auto complain = [&](std::string_view why) {
        violations.push_back({Rule::FilePathInvalid, fmt::format("{} {}", in_quotes(text), why)});
    };
    if (text.empty()) return complain("is empty; write the file's path, e.g. left4dead2/cfg/rates.cfg");
    if (text.starts_with('/')) {
        return complain("begins with '/'; write it relative to the game's installation");
    }
    if (text.contains('\\')) return complain("contains a backslash; separate directories with '/'");
    if (const std::string_view odd = odd_component(text); !odd.empty()) {
        complain(fmt::format("holds {}; write a plain path such as left4dead2/cfg/rates.cfg", odd));
    }
}

}  // namespace left4me
