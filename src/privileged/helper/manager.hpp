#pragma once

#include <systemd/sd-bus.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "privileged/helper/message.hpp"
#include "privileged/helper/remover.hpp"

namespace left4me::helper {

/// One reply of PID 1. `message` may be read only if `error` is empty.
struct Reply {
    sd_bus_message* message = nullptr;
    std::string error;       ///< PID 1's own message
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

/// By server name; a unit that is absent is not loaded, and inactive.
using UnitStates = std::map<std::string, UnitState>;

/// org.freedesktop.systemd1.Manager. Calls are sent without waiting for earlier replies. A window keeps them
/// below the number of pending calls that the bus allows per connection (128 on Debian; it refuses more).
class Manager {
  public:
    explicit Manager(sd_bus* bus) : bus_(bus) {}

    void call(const char* method, const std::function<int(sd_bus_message*)>& append, OnReply on_reply);

    /// Methods that take a unit and a mode and return a job.
    void job_call(const char* method, const std::string& unit,
                  std::function<void(const std::string& job, const Reply&)> on_job);

    void list_servers(std::function<void(UnitStates, const std::string& error)> on_states);

    /// Starts `unit` and reports how its job ended: "done", another result of JobRemoved, or an error's text;
    /// "" if the job is gone and its signal was lost, as may happen while PID 1 re-executes.
    void run(const std::string& unit, std::function<void(const std::string& result)> on_end);

    /// PID 1 reads unit files again: now, and then calls `on_done` with its words if it could not.
    void reload(std::function<void(const std::string& error)> on_done);
    /// The same within two seconds, once for all who ask meanwhile. A boot reads the enablement links anyway;
    /// until PID 1 has read them, only `systemctl isolate` and `start` of a target would not know of them.
    void reload_later();
    bool has_reload_to_do() const { return reload_pending_; }

    Remover& remover();

  private:
    void watch_jobs();
    void end_job(const std::string& job, const std::string& result);
    void look_for_lost_jobs();
    void look_again_later();
    static int job_removed(sd_bus_message* signal, void* userdata, sd_bus_error* error);

    struct Sent {
        Manager* manager;
        OnReply on_reply;
    };
    struct Waiting {
        MessagePtr message;
        std::unique_ptr<Sent> sent;
    };
    void send(Waiting call);
    static int deliver(sd_bus_message* message, void* userdata, sd_bus_error* error);

    sd_bus* bus_;
    std::size_t unanswered_ = 0;
    std::deque<Waiting> waiting_to_be_sent_;
    using OnEnd = std::function<void(const std::string&)>;
    bool watching_jobs_ = false;
    bool looking_later_ = false;
    bool reload_pending_ = false;
    bool reload_timer_ = false;
    std::map<std::string, std::vector<OnEnd>> waiting_;  ///< by job path
    std::unique_ptr<Remover> remover_;                   ///< created when there is something to remove
};

}  // namespace left4me::helper
