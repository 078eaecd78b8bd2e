#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "adapters/paths.hpp"
#include "adapters/readiness.hpp"
#include "reconciler/observed.hpp"
#include "reconciler/plan.hpp"
#include "specs/tuning.hpp"

namespace left4me {

/// The outcome of one request about one server's unit.
struct UnitOutcome {
    std::string server;
    bool done = false;
    FailureKind reason = FailureKind::Unknown;  ///< if not done
    std::string message;                        ///< systemd's or the helper's own message
};

/// What `status` shows about one unit beyond ObservedUnit.
struct UnitDetails {
    ObservedUnit unit;
    std::uint32_t main_pid = 0;
    std::optional<TimePoint> since;  ///< StateChangeTimestamp
    std::uint32_t restarts = 0;      ///< NRestarts
    std::string invocation;          ///< InvocationID in hexadecimal; empty: it was never started
};

/// What systemd has set of one unit, and what the kernel made of it.
struct UnitLimits {
    UnitSettings settings;  ///< as far as they are set: those of a Tuning
    Cpus effective;         ///< the processors that it really has; empty: the kernel does not say
    std::uint32_t main_pid = 0;

    bool operator==(const UnitLimits&) const = default;
};

/// Every unit of ours that is loaded, enabled or masked.
struct ListedUnits {
    std::map<std::string, ObservedUnit> servers;  ///< by server name
    std::set<std::string> builds;  ///< the overlays whose `left4me-build@` unit is active, or has a job
};

/// The `left4me-server@` and `left4me-build@` units: read from PID 1 over the system bus without privileges,
/// changed through org.left4me.Helper1. Not thread-safe.
class Units {
  public:
    /// Errors: no system bus.
    static std::expected<std::unique_ptr<Units>, std::string> connect(const Paths& paths);
    Units() = default;
    Units(const Units&) = delete;
    Units& operator=(const Units&) = delete;
    virtual ~Units() = default;

    /// One ListUnitsByPatterns call and two directory listings, whatever the number of servers (enablement is
    /// what lies in *.wants; asking PID 1 costs a call a unit). The Result of failed units, and since when
    /// active ones are, is asked for in one more round trip. After subscribe(), PID 1 is asked only if
    /// something has begun, ended or changed since, or 29 s have passed; and since when a unit is active,
    /// only if that unit has changed. So links that change while PID 1 reloads are noticed without waiting
    /// for it.
    virtual std::expected<ListedUnits, std::string> list() = 0;

    /// These units, each with its process, by server name: one round trip, however many there are, and
    /// another if some of them failed.
    virtual std::expected<std::map<std::string, UnitDetails>, std::string> details(
        std::span<const std::string> servers) = 0;
    std::expected<UnitDetails, std::string> details(const std::string& server);

    /// Asks the helper to carry `verb` (Enable, Disable, Start, Stop, Restart, Attach, ResetFailed, Purge)
    /// out on all of `servers`, or Build and Cancel on overlays of these names, and returns without waiting
    /// for the jobs: wait() tells of each server once.
    virtual void begin(Verb verb, std::span<const std::string> servers) = 0;

    /// begin(Verb::Build), of overlays that a script makes: starts the unit that runs it, too.
    virtual void begin_scripts(std::span<const std::string> overlays) = 0;

    /// begin(Verb::Tune): has the helper make left4me's drop-ins those of `tuning`; tells of host_name.
    virtual void begin_tuning(const Tuning& tuning) = 0;
    /// When PID 1 last read its unit files; nullopt: it does not tell. After subscribe(), it is asked only if
    /// it has read them since.
    virtual std::expected<std::optional<TimePoint>, std::string> unit_files_read() = 0;
    /// Of these units, by name: one round trip, however many there are. Names of units that may be tuned, but
    /// no templates.
    virtual std::expected<std::map<std::string, UnitLimits>, std::string> limits(
        std::span<const std::string> units) = 0;

    using Completions = std::vector<std::pair<Verb, UnitOutcome>>;
    /// The requests that have ended since the last call; never blocks.
    virtual Completions poll_completions() = 0;
    /// When poll_completions() should be called again.
    virtual Readiness readiness() const = 0;
    virtual bool idle() const = 0;
    /// Blocks until at least one request has ended. Empty only if none is in flight.
    Completions wait();

    /// From now on, calls `on_change`, from within the other functions, whenever one of our units may have
    /// changed, PID 1 has reloaded or re-executed, or the bus was lost and is back.
    virtual void subscribe(std::function<void()> on_change) = 0;

    /// Round trips to the bus so far, for benchmarks.
    virtual std::uint64_t round_trips() const = 0;
};

}  // namespace left4me
