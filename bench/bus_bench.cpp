// bus_bench [--svg FILE]: the cost of a pass that finds nothing to do, and of an event that triggers such a
// pass, for 10 to 10,000 converged servers. SystemdHost, Engine, Store and the bus are real; systemd is our
// own program on a private bus, and the mount table is a file, because nobody can mount 10,000 overlays.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "adapters/host/systemd_host.hpp"
#include "adapters/store/status_file.hpp"
#include "adapters/store/store.hpp"
#include "fake_systemd.hpp"
#include "growth_plot.hpp"
#include "reconciler/engine.hpp"
#include "server.hpp"

namespace {

using namespace left4me;
using namespace left4me::bench;
namespace fs = std::filesystem;

constexpr std::array<std::size_t, 4> sizes{10, 100, 1000, 10'000};
constexpr int rounds = 15;

struct Cost {
    double wall = 0;  ///< milliseconds
    double cpu = 0;   ///< of this process only
};

/// The results of the measuring process; sent through a pipe as they are.
struct Figures {
    Cost pass;
    Cost event;
    Cost file;
    std::uint64_t pass_round_trips = 0;
    std::uint64_t event_round_trips = 0;
    std::uint64_t resident_bytes = 0;
};

Paths paths_in(const fs::path& scratch) {
    Paths paths;
    paths.state = scratch / "state";
    paths.run = scratch / "run";
    paths.config = scratch / "config";
    paths.systemd_etc = scratch / "etc";
    paths.systemd_run = scratch / "systemd";
    paths.mountinfo = scratch / "mountinfo";
    return paths;
}

Desired make_desired(std::size_t servers) {
    Desired desired;
    desired.revision = "r1";
    desired.overlays["tick"] = InlineSource{{{"left4dead2/cfg/tick.cfg", "fps_max 0\n"}}};
    desired.overlays["maps"] = InlineSource{{{"left4dead2/addons/maps.txt", "c1m1_hotel\n"}}};
    for (std::size_t index = 0; index < servers; ++index) {
        const std::string name = server_name(index);
        desired.servers[name] =
            usual_server(name, static_cast<std::uint16_t>(20'000 + index), {"tick", "maps"});
    }
    return desired;
}

void must(const Store::Done& done) {
    if (!done) give_up(done.error().message);
}

/// The kernel's format of what left4me-overlay has mounted.
std::string mountinfo_line(std::size_t index, const Paths& paths, const std::vector<std::string>& layers) {
    const std::string name = server_name(index);
    std::string options = "rw";
    for (const std::string& layer : layers) options += ",lowerdir+=" + layer;
    return fmt::format(
        "{0} 30 0:{1} / {2}/{3}/merged rw,nosuid,nodev,relatime shared:{0} - overlay overlay "
        "{4},upperdir=runtime/{3}/upper,workdir=runtime/{3}/work,redirect_dir=nofollow,index=off,uuid=on\n",
        1000 + index, 100 + index, paths.runtime().string(), name, options);
}

/// Everything on a host where these servers run, written by the store where possible.
void converge(const Paths& paths, std::size_t servers) {
    const fs::path enabled = paths.systemd_etc / "multi-user.target.wants";
    for (const fs::path& part : {paths.overlays(), paths.instances(), paths.runtime(), paths.installation(),
                                 paths.status(), paths.run, paths.secrets(), enabled, paths.systemd_run})
        fs::create_directories(part);
    std::ofstream(paths.installation() / "srcds_run") << "#!/bin/sh\n";
    const Desired desired = make_desired(servers);
    Store store(paths);
    const Target target = resolve(std::make_shared<const Desired>(desired), store.read_inputs(desired));
    for (const auto& [name, overlay] : target.overlays)
        must(store.build(name, std::get<InlineSource>(*overlay.source), overlay.artifact.value()));
    std::ofstream mounts(paths.mountinfo);
    std::size_t index = 0;
    for (const auto& [name, server] : target.servers) {
        const TargetRendering& rendering = *server.rendering.value();
        must(store.render(rendering));
        mounts << mountinfo_line(index++, paths, rendering.layers());
        fs::create_directories(paths.runtime() / name);
        fs::create_symlink("/lib/systemd/system/left4me-server@.service",
                           enabled / fmt::format("left4me-server@{}.service", name));
    }
}

double cpu_milliseconds() {
    timespec spent{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return static_cast<double>(spent.tv_sec) * 1e3 + static_cast<double>(spent.tv_nsec) / 1e6;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.at(values.size() / 2);
}

Cost median_cost(const std::function<void(int)>& work) {
    std::vector<double> wall;
    std::vector<double> cpu;
    for (int round = 0; round < rounds; ++round) {
        const double cpu_before = cpu_milliseconds();
        const auto before = std::chrono::steady_clock::now();
        work(round);
        wall.push_back(
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - before).count());
        cpu.push_back(cpu_milliseconds() - cpu_before);
    }
    return {median(wall), median(cpu)};
}

std::uint64_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t all = 0;
    std::uint64_t resident = 0;
    statm >> all >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// What l4d2d adds to its steps, except its sources, its rate limit and its telemetry.
class Watcher {
  public:
    Watcher(const Paths& paths, std::size_t servers)
        : paths_(paths),
          desired_(std::make_shared<const Desired>(make_desired(servers))),
          machine_(paths, connect(paths)),
          engine_(machine_, Status{}) {
        machine_.units().subscribe([this] { changed_ = true; });
    }

    void step() {
        const auto stepped = engine_.step({desired_, {}, {}});
        if (!stepped) give_up(stepped.error());
        if (stepped->difference.actions.empty() && !engine_.busy()) return;
        const Action& action = stepped->difference.actions.at(0);
        give_up(fmt::format("not converged: {} {}: {}", to_string(action.verb), action.subject.name,
                            action.reason));
    }

    /// From the signal's sender to the end of the step that it triggers.
    void event(const FakeSystemd& systemd, std::size_t server) {
        changed_ = false;
        systemd.change(server);
        while (!changed_) {
            wait_for_any(machine_.readiness());
            (void)engine_.poll_completions();
        }
        step();
    }

    /// l4d2d writes it after a step that found changes, and reads it when others have written it.
    void file() {
        if (const auto saved = save_status(paths_, engine_.status()); !saved) give_up(saved.error());
        engine_.set_status(load_status(paths_));
    }

    std::uint64_t round_trips() { return machine_.units().round_trips(); }

  private:
    static std::unique_ptr<Units> connect(const Paths& paths) {
        auto units = Units::connect(paths);
        if (!units) give_up(units.error());
        return std::move(*units);
    }

    const Paths& paths_;
    std::shared_ptr<const Desired> desired_;
    SystemdHost machine_;
    Engine engine_;
    bool changed_ = false;
};

Figures measure(const Paths& paths, std::size_t servers, const FakeSystemd& systemd) {
    Watcher watcher(paths, servers);
    // The first reads every file, the second what is new to the first.
    watcher.step();
    watcher.step();
    Figures figures;
    std::uint64_t before = watcher.round_trips();
    figures.pass = median_cost([&](int) { watcher.step(); });
    figures.pass_round_trips = (watcher.round_trips() - before) / rounds;
    before = watcher.round_trips();
    figures.event =
        median_cost([&](int round) { watcher.event(systemd, static_cast<std::size_t>(round) % servers); });
    figures.event_round_trips = (watcher.round_trips() - before) / rounds;
    figures.resident_bytes = resident_bytes();
    figures.file = median_cost([&](int) { watcher.file(); });
    return figures;
}

/// In a separate process, so that the memory of one size does not count for another.
Figures in_child(const std::function<Figures()>& work) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) give_up("pipe");
    const Fd read(ends[0]);
    Fd write(ends[1]);
    const pid_t pid = fork_child();
    if (pid == 0) {
        const Figures figures = work();
        std::_Exit(::write(write.get(), &figures, sizeof figures) == sizeof figures ? 0 : 1);
    }
    write.reset();
    Figures figures;
    const bool whole = ::read(read.get(), &figures, sizeof figures) == sizeof figures;
    if (!Child(pid).succeeded() || !whole) std::exit(1);  // NOLINT(concurrency-mt-unsafe): it has said why
    return figures;
}

Figures measure_size(const fs::path& scratch, std::size_t servers) {
    fs::create_directories(scratch);
    const Paths paths = paths_in(scratch);
    (void)in_child([&] {
        converge(paths, servers);
        return Figures{};
    });
    // Times of files are trusted once they have settled.
    std::this_thread::sleep_for(std::chrono::milliseconds(1200));
    const PrivateBus bus(scratch);
    const FakeSystemd systemd(servers);
    return in_child([&] { return measure(paths, servers, systemd); });
}

double load() {
    std::array<double, 1> average{};
    (void)::getloadavg(average.data(), 1);
    return average[0];
}

void print_row(std::size_t servers, const Figures& figures, double load_before) {
    fmt::print("| {} | {:.2f} | {:.2f} | {} | {:.2f} | {:.2f} | {} | {:.2f} | {:.1f} | {:.1f} |\n", servers,
               figures.pass.wall, figures.pass.cpu, figures.pass_round_trips, figures.event.wall,
               figures.event.cpu, figures.event_round_trips, figures.file.cpu,
               static_cast<double>(figures.resident_bytes) / (1U << 20U), load_before);
    (void)std::fflush(stdout);
}

Plot plot_of(const std::vector<Figures>& all) {
    Plot plot{.title = "Converged servers: cost of one pass", .unit = "ms", .sizes = {}, .curves = {}};
    Curve wall{"event to the end of its pass, wall", 'e', "#c33", {}};
    Curve cpu{"pass, CPU", 'p', "#36c", {}};
    Curve file{"status file read and written, CPU", 's', "#393", {}};
    for (std::size_t i = 0; i < all.size(); ++i) {
        plot.sizes.push_back(static_cast<double>(sizes.at(i)));
        wall.costs.push_back(all[i].event.wall);
        cpu.costs.push_back(all[i].pass.cpu);
        file.costs.push_back(all[i].file.cpu);
    }
    plot.curves = {wall, file, cpu};
    return plot;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string_view> arguments(argv + 1, argv + argc);
    if (!arguments.empty() && (arguments.size() != 2 || arguments[0] != "--svg"))
        give_up("usage: bus_bench [--svg FILE]");
    std::string scratch = (fs::temp_directory_path() / "left4me-bench-XXXXXX").string();
    if (::mkdtemp(scratch.data()) == nullptr) give_up("mkdtemp");
    fmt::print(
        "| servers | pass, wall ms | CPU ms | round trips | event to end of pass, wall ms | CPU ms | round "
        "trips | status file read and written, CPU ms | RSS MiB | load |\n|{}\n",
        [] {
            std::string rule;
            for (int column = 0; column < 10; ++column) rule += "---:|";
            return rule;
        }());
    std::vector<Figures> all;
    for (const std::size_t servers : sizes) {
        const double load_before = load();
        all.push_back(measure_size(fs::path(scratch) / std::to_string(servers), servers));
        print_row(servers, all.back(), load_before);
    }
    fs::remove_all(scratch);
    const Plot plot = plot_of(all);
    fmt::print("\n{}", in_characters(plot));
    if (!arguments.empty()) write_svg(plot, arguments[1]);
    return 0;
}
