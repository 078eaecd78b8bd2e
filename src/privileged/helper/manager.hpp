#pragma once

#include <systemd/sd-bus.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace left4me::helper {

/// One answer of PID 1. `message` may be read only when `error` is empty.
struct Reply {
    sd_bus_message* message = nullptr;
    std::string error;       ///< PID 1's own words
    std::string error_name;  ///< e.g. "org.freedesktop.systemd1.NoSuchUnit"

    bool ok() const { return error.empty(); }
};

using OnReply = std::function<void(Reply)>;

/// What ListUnitsByPatterns says of one server's unit.
struct UnitState {
    std::string active = "inactive";
    std::string sub;
    bool job = false;  ///< a job is queued or running

    bool stopped() const { return !job && (active == "inactive" || active == "failed"); }
};

/// By server name; units that are not loaded are absent, and inactive.
using UnitStates = std::map<std::string, UnitState>;

/// org.freedesktop.systemd1.Manager. Every call is sent at once and answered through its callback, so any
/// number of them takes one round trip.
class Manager {
  public:
    explicit Manager(sd_bus* bus) : bus_(bus) {}

    void call(const char* method, const std::function<int(sd_bus_message*)>& append, OnReply on_reply);

    /// Methods that take a unit and a mode and answer with a job.
    void job_call(const char* method, const std::string& unit,
                  std::function<void(const std::string& job, const Reply&)> on_job);

    void list_servers(std::function<void(UnitStates, const std::string& error)> on_states);

    /// Starts `unit` and tells how its job ended: "done", or another word of JobRemoved's, or an error's
    /// text.
    void run(const std::string& unit, std::function<void(const std::string& result)> on_end);

  private:
    void watch_jobs();
    static int job_removed(sd_bus_message* signal, void* userdata, sd_bus_error* error);

    sd_bus* bus_;
    bool watching_jobs_ = false;
    std::map<std::string, std::vector<std::function<void(const std::string&)>>> waiting_;  ///< by job path
};

}  // namespace left4me::helper
