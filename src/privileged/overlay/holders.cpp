#include "privileged/overlay/holders.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <climits>
#include <cstdio>
#include <memory>
#include <string_view>

namespace left4me::overlay {

namespace {

constexpr std::size_t max_descriptors = 4096;  // per process: a best effort, not an audit

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

bool lies_beneath(std::string_view name, std::string_view path) {
    return name.starts_with(path) &&
           (name.size() == path.size() || name[path.size()] == '/' || name[path.size()] == ' ');
}

bool leads_beneath(const std::string& link, const std::string& path) {
    std::array<char, PATH_MAX> target{};
    const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
    return length > 0 && lies_beneath({target.data(), static_cast<std::size_t>(length)}, path);
}

std::string open_file(const std::string& process, const std::string& path) {
    const Directory descriptors(::opendir((process + "/fd").c_str()));
    if (!descriptors) return {};
    for (std::size_t seen = 0; seen < max_descriptors; ++seen) {
        const dirent* entry = ::readdir(descriptors.get());
        if (entry == nullptr) break;
        if (leads_beneath(fmt::format("{}/fd/{}", process, entry->d_name), path)) {
            return fmt::format("descriptor {}", entry->d_name);
        }
    }
    return {};
}

std::string read_some(const std::string& file, std::size_t limit) {
    std::string text(limit, '\0');
    const std::unique_ptr<FILE, int (*)(FILE*)> stream(std::fopen(file.c_str(), "re"), &std::fclose);
    text.resize(stream ? std::fread(text.data(), 1, text.size(), stream.get()) : 0);
    return text;
}

/// How the process uses something beneath `path`; empty if it does not.
std::string use(const std::string& process, const std::string& path) {
    constexpr std::size_t max_maps = 1U << 20U;
    if (leads_beneath(process + "/cwd", path)) return "working directory";
    if (leads_beneath(process + "/root", path)) return "root directory";
    if (leads_beneath(process + "/exe", path)) return "program";
    if (std::string file = open_file(process, path); !file.empty()) return file;
    if (read_some(process + "/maps", max_maps).find(path + "/") != std::string::npos) return "mapped file";
    return {};
}

}  // namespace

std::vector<std::string> find_holders(const std::string& path, std::size_t limit) {
    std::vector<std::string> holders;
    const Directory processes(::opendir("/proc"));
    if (!processes) return holders;
    while (const dirent* entry = ::readdir(processes.get())) {
        if (holders.size() >= limit) break;
        const std::string pid = entry->d_name;
        if (!std::all_of(pid.begin(), pid.end(), [](unsigned char c) { return std::isdigit(c) != 0; }))
            continue;
        const std::string process = "/proc/" + pid;
        const std::string how = use(process, path);
        if (how.empty()) continue;
        std::string command = read_some(process + "/comm", 64);
        while (!command.empty() && command.back() == '\n') command.pop_back();
        std::replace_if(command.begin(), command.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
        holders.push_back(fmt::format("{} (pid {}: {})", command, pid, how));
    }
    return holders;
}

}  // namespace left4me::overlay
