#include "privileged/share/alone.hpp"

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string_view>

#include "adapters/child.hpp"

namespace left4me::share {

namespace {

using namespace std::chrono_literals;

/// cgroups(7): "0::/PATH".
std::string own_group() {
    std::ifstream file("/proc/self/cgroup");
    constexpr std::string_view unified = "0::";
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(unified)) return line.substr(unified.size());
    }
    return "";
}

}  // namespace

Alone stop_steamcmd(const std::string& name) {
    const std::string unit = "left4me-install@" + name + ".service";
    const auto stopped = run_child({"/usr/bin/systemctl", "stop", unit}, Fd(), Fd(), 60s);
    if (!stopped) return std::unexpected(stopped.error());
    if (stopped->code != 0) return std::unexpected(unit + " does not stop: " + stopped->output);
    return {};
}

Alone check_alone() {
    const std::string group = own_group();
    std::ifstream processes("/sys/fs/cgroup" + group + "/cgroup.procs");
    bool seen = false;
    for (std::string line; std::getline(processes, line);) {
        if (line != std::to_string(::getpid()))
            return std::unexpected("process " + line + " of the build has not ended");
        seen = true;
    }
    if (!seen)
        return std::unexpected("the control group " + group + " does not say which processes are left");
    return {};
}

}  // namespace left4me::share
