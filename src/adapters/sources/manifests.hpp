#pragma once

#include <memory>
#include <string>

#include "adapters/config/config.hpp"
#include "adapters/events/history.hpp"
#include "adapters/paths.hpp"
#include "adapters/source/revision.hpp"
#include "adapters/source/source.hpp"
#include "reconciler/desired.hpp"

namespace left4me {

/// What the manifests ask, at the revision that is in force: parsed only when the source has moved.
class Manifests {
  public:
    Manifests(Paths paths, const Config& config);

    /// Another source from now on; what was followed stays in force until it has been read.
    void follow_source_of(const Config& config);

    /// Reads the source. What cannot be used leaves the last good revision in force and is told by error().
    void read();

    /// nullptr: there is no revision that could be followed, now or earlier.
    std::shared_ptr<const Desired> desired() const { return desired_; }
    /// What people have asked for beside the manifests, as of the last read().
    const Intent& intent() const { return intent_; }
    /// Why the source's own revision is not the one in force; empty: it is.
    const std::string& error() const { return error_; }
    Trouble trouble() const { return trouble_; }

    /// For the history.
    const Revisions& revisions() const { return revisions_; }

    Source& source() { return *source_; }

  private:
    void follow(const InForce& in_force);

    Paths paths_;
    Limits limits_;
    std::unique_ptr<Source> source_;
    std::string read_;  ///< the revision that was parsed last, good or not
    std::shared_ptr<const Desired> desired_;
    Intent intent_;
    Trouble trouble_ = Trouble::None;
    std::string error_;
    Revisions revisions_;
};

}  // namespace left4me
