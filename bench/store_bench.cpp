// store_bench [SERVERS]: the cost of one observation of a converged store. The target for a whole pass over
// 1000 converged servers is 20 ms of CPU; this is the store's share of it.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "adapters/store/store.hpp"
#include "server.hpp"

namespace {

using left4me::Desired;
using left4me::Observed;
using left4me::Store;

double cpu_milliseconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto total = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
    };
    return total(usage.ru_utime) + total(usage.ru_stime);
}

Desired make_desired(int servers) {
    Desired desired;
    desired.overlays["tick"] = left4me::InlineSource{{{"left4dead2/cfg/tick.cfg", "fps_max 0\n"}}};
    for (int i = 0; i < servers; ++i) {
        const std::string name = fmt::format("server-{}", i);
        desired.servers[name] =
            left4me::bench::usual_server(name, static_cast<std::uint16_t>(27015 + i), {"tick"});
    }
    return desired;
}

void must(const Store::Done& done) {
    if (done) return;
    fmt::print(stderr, "{}\n", done.error().message);
    std::exit(1);  // NOLINT(concurrency-mt-unsafe): there is one thread
}

void measure(const char* what, int rounds, Store& store, const Desired& asked) {
    const auto desired = std::make_shared<const Desired>(asked);
    std::vector<double> cpu;
    std::vector<double> wall;
    for (int i = 0; i < rounds; ++i) {
        Observed observed;
        const left4me::Target before_target = left4me::resolve(desired, store.read_inputs(*desired));
        for (const auto& [name, server] : before_target.servers)
            observed.servers[name].mounted = (*server.rendering)->layers();
        const double cpu_before = cpu_milliseconds();
        const auto before = std::chrono::steady_clock::now();
        store.observe(left4me::resolve(desired, store.read_inputs(*desired)), observed);
        wall.push_back(
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - before).count());
        cpu.push_back(cpu_milliseconds() - cpu_before);
        for (const auto& [name, server] : observed.servers) {
            if (!server.damaged.empty() || !server.mounted_port)
                must(std::unexpected(left4me::Error{{}, name + " is not converged"}));
        }
    }
    std::sort(cpu.begin(), cpu.end());
    std::sort(wall.begin(), wall.end());
    fmt::print(
        "observe {} converged servers, {}: CPU median {:.1f} ms, worst {:.1f} ms; wall median {:.1f} ms; "
        "{:.2f} x the 20 ms of a whole pass\n",
        desired->servers.size(), what, cpu.at(cpu.size() / 2), cpu.back(), wall.at(wall.size() / 2),
        cpu.at(cpu.size() / 2) / 20.0);
}

}  // namespace

int main(int argc, char** argv) {
    const int servers = argc > 1 ? std::atoi(argv[1]) : 1000;
    std::array<char, 32> name{"/tmp/left4me-bench-XXXXXX"};
    if (::mkdtemp(name.data()) == nullptr) return 1;
    left4me::Paths paths;
    paths.state = name.data();
    for (const auto& part :
         {paths.overlays(), paths.instances(), paths.runtime(), paths.installation(), paths.status()}) {
        std::filesystem::create_directories(part);
    }
    {
        const Desired desired = make_desired(servers);
        Store store(paths);
        const left4me::Target target =
            left4me::resolve(std::make_shared<const Desired>(desired), store.read_inputs(desired));
        const auto before = std::chrono::steady_clock::now();
        for (const auto& [id, overlay] : target.overlays) {
            must(store.build(id, std::get<left4me::InlineSource>(*overlay.source), *overlay.artifact));
        }
        for (const auto& [server, asked] : target.servers) {
            must(store.render(**asked.rendering));
            std::filesystem::create_directories(paths.runtime() / server);
        }
        fmt::print(
            "render {} servers: {:.0f} ms wall\n", servers,
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - before).count());
        measure("contents compared", 5, store, desired);
        std::this_thread::sleep_for(
            std::chrono::milliseconds(1500));  // file times are trusted once they have settled
        measure("settled", 1, store, desired);
        measure("seen before", 20, store, desired);
        Store next(paths);
        measure("seen before by an earlier process", 1, next, desired);
    }
    std::filesystem::remove_all(paths.state);
    return 0;
}
