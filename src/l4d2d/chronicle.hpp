#pragma once

#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "adapters/events/history.hpp"
#include "adapters/paths.hpp"
#include "reconciler/loop.hpp"

namespace left4me {

/// Writes down what happened, on a thread of its own: who stopped a server by hand is read from the journal,
/// and no other server shall wait for that.
class Chronicle {
  public:
    explicit Chronicle(Paths paths) : paths_(std::move(paths)) {}

    /// The revision in force, and the source's own when that is invalid.
    struct Revisions {
        RevisionOrigin in_force;
        std::optional<std::pair<RevisionOrigin, std::string>> invalid;
    };

    /// A step that told nothing new costs a comparison.
    void step(const Revisions& revisions, std::shared_ptr<const Desired> desired, StepResult step,
              const Status& after);
    /// There is no revision to make a step with.
    void no_revision(const Status& before, const Status& after);

  private:
    Paths paths_;
    boost::asio::thread_pool thread_{1};
};

}  // namespace left4me
