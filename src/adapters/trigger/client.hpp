#pragma once

#include <expected>
#include <optional>
#include <string>

#include "adapters/fd.hpp"
#include "adapters/paths.hpp"
#include "adapters/readiness.hpp"
#include "adapters/trigger/messages.hpp"

namespace left4me {

enum class TriggerError {
    NoDaemon,  ///< nobody listens
    Refused,   ///< the socket is for root, left4me and the operators' group
};

/// Whether a daemon runs, without asking it for anything.
bool daemon_listens(const Paths& paths);

/// Asks the daemon to observe again, at once. Never blocks.
std::expected<void, TriggerError> trigger(const Paths& paths, const TriggerRequest& request = {});

/// A trigger whose sender stays connected, to be told what each step of the daemon does.
class TriggerClient {
  public:
    static std::expected<TriggerClient, TriggerError> connect(const Paths& paths,
                                                              const TriggerRequest& request);

    Readiness readiness() const { return {.fd = socket_.get(), .events = POLLIN, .timeout = {}}; }
    /// The next report that has come; nullopt: there is none yet. Never blocks.
    std::optional<StepReport> read();
    /// The daemon has ended, or has dropped us for being slow or one too many. No more reports come.
    bool is_closed() const { return !socket_; }

  private:
    explicit TriggerClient(Fd socket) : socket_(std::move(socket)) {}

    Fd socket_;
    std::string received_;
};

}  // namespace left4me
