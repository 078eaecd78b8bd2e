#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "adapters/fd.hpp"
#include "builder/result.hpp"
#include "builder/steam/output.hpp"

namespace left4me::builder {

/// How long is waited for what another unit does.
struct SteamLimits {
    /// Until the unit runs. PID 1 may be busy: a boot starts everything at once.
    std::chrono::seconds start{120};
    /// A run that prints nothing for so long hangs.
    std::chrono::seconds silence{std::chrono::minutes(15)};
    /// From the end of its unit until this build is stopped, too, if somebody stops both. Longer than the
    /// unit's TimeoutStopSec=.
    std::chrono::seconds end{8};
};

/// steamcmd, which runs in left4me-install@NAME.service, and does what stands in the FIFOs of the room that
/// both share (adapters/store/steam_files.hpp). What it prints is a stranger's.
class SteamCmd {
  public:
    /// Waits until no earlier run of it writes into the room any more.
    static Built<SteamCmd> open(int room, const SteamLimits& limits = {});

    /// Runs it once. `arguments`: words without spaces. `on_output` is called whenever it has printed
    /// something. Returns its exit code.
    Built<int> run(const std::string& arguments, SteamOutput& output, const std::function<void()>& on_output);

  private:
    SteamCmd(int room, Fd output, SteamLimits limits)
        : room_(room), output_(std::move(output)), limits_(limits) {}
    Built<void> send(const std::string& line);
    /// A line of the unit itself; `text` is what steamcmd has printed before it.
    Built<bool> take_line(std::string_view line);

    int room_;
    Fd output_;
    SteamLimits limits_;
    std::string token_;  ///< of the present run: what earlier ones still say is not meant
    unsigned runs_ = 0;
    bool begun_ = false;
    int exit_code_ = 0;
};

}  // namespace left4me::builder
