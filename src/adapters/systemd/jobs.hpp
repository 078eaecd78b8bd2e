#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "adapters/systemd/bus.hpp"
#include "adapters/systemd/units.hpp"

namespace left4me {

/// The helper's method that carries out `verb`; nullptr: there is none.
const char* method_of(Verb verb);
/// Its method for Verb::Build of overlays that a script makes.
inline constexpr const char* script_method = "StartScript";

/// Requests to left4me-helper and the resulting jobs of PID 1. A job may end before the helper's reply has
/// named it, so JobRemoved is matched before the helper is called, and early signals are kept.
class Jobs {
  public:
    using Finished = std::vector<std::pair<Verb, UnitOutcome>>;

    /// `method`: method_of(verb), or script_method.
    void begin(Bus& bus, Verb verb, std::span<const std::string> servers, const char* method);
    /// The same of Verb::Tune, about host_name.
    void begin_tuning(Bus& bus, const Tuning& tuning);
    /// Completed requests, without waiting for more. After an error the bus is unusable: call give_up().
    std::expected<Finished, BusError> poll_completions(Bus& bus);
    /// When to call poll_completions() again if nothing arrives; nullopt: nothing is in flight.
    std::optional<std::chrono::milliseconds> timeout() const;
    bool idle() const { return under_way_.empty() && finished_.empty(); }
    /// The bus is gone: everything in flight ends with this error.
    Finished give_up(const BusError& error);

  private:
    using Request = std::pair<Verb, std::string>;  ///< verb, server
    struct Removed {
        std::string unit;
        std::string result;
    };
    void watch(Bus& bus);
    void ask_helper(Bus& bus, Verb verb, const char* method, std::vector<std::string> servers,
                    const Bus::Write& write, int attempts);
    void read_answer(Bus& bus, Verb verb, std::set<std::string> asked, sdbus::MethodReply& reply);
    void job_removed(Bus& bus, const std::string& job, Removed removed);
    void settle(Bus& bus, const Request& request, const Removed& removed);
    void explain_failure(Bus& bus, const Request& request);
    void look_for_lost_jobs(Bus& bus);
    void settle_lost(Bus& bus, const std::string& job, const Request& request);
    void finish(const Request& request, UnitOutcome outcome);

    const Bus* watched_ = nullptr;          ///< the connection on which JobRemoved is matched
    std::size_t unanswered_ = 0;            ///< requests whose jobs the helper has not named yet
    std::map<std::string, Removed> early_;  ///< by job path
    /// In flight, by job path; a merged job serves several requests.
    std::multimap<std::string, Request> jobs_;
    std::multimap<Request, std::uint64_t> under_way_;  ///< start time, CLOCK_MONOTONIC in microseconds
    std::chrono::steady_clock::time_point heard_;      ///< when a request was last begun, ended or checked
    bool looking_ = false;                             ///< for lost jobs: one list at a time
    Finished finished_;
};

}  // namespace left4me
