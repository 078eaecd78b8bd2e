#include "adapters/host/cores.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "adapters/files.hpp"

namespace left4me {
namespace {

std::optional<Cpus> read_list(const std::filesystem::path& path) {
    constexpr std::size_t page = 4096;
    auto text = read_file(path, page);
    if (!text) return std::nullopt;
    if (text->ends_with('\n')) text->pop_back();
    return parse_cpus(*text);
}

}  // namespace

std::vector<Cpus> read_cores(const Paths& paths) {
    std::vector<Cpus> cores;
    const Cpus online = read_list(paths.cpus / "online").value_or(Cpus());
    Cpus known;
    for (const unsigned cpu : online) {
        if (known.contains(cpu)) continue;
        const auto siblings =
            read_list(paths.cpus / ("cpu" + std::to_string(cpu)) / "topology/thread_siblings_list");
        Cpus core{cpu};
        for (const unsigned sibling : siblings.value_or(Cpus())) {
            if (online.contains(sibling)) core.insert(sibling);
        }
        known.insert(core.begin(), core.end());
        cores.push_back(std::move(core));
    }
    return cores;
}

}  // namespace left4me
