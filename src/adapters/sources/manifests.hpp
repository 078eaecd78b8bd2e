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

/// The desired state at the revision in force: parsed only if the source has changed.
class Manifests {
  public:
    Manifests(Paths paths, const Config& config);

    /// Switches to another source; the followed revision stays in force until that has been read.
    void follow_source_of(const Config& config);

    /// Reads the source. If it cannot be used, the last good revision stays in force and error() says why.
    void read();

    /// nullptr: no revision can be followed, now or earlier.
    std::shared_ptr<const Desired> desired() const { return desired_; }
    /// What people have asked for beside the manifests, as of the last read().
    const Intent& intent() const { return intent_; }
    /// Why the source's newest revision is not in force; empty: it is.
    const std::string& error() const { return error_; }
    SourceErrorKind trouble() const { return trouble_; }

    /// For the history.
    const Revisions& revisions() const { return revisions_; }

    Source& source() { return *source_; }

  private:
    void follow(const ActiveRevision& in_force);

    Paths paths_;
    Limits limits_;
    std::unique_ptr<Source> source_;
    std::string read_;  ///< the revision that was parsed last, valid or not
    std::shared_ptr<const Desired> desired_;
    Intent intent_;
    SourceErrorKind trouble_ = SourceErrorKind::None;
    std::string error_;
    Revisions revisions_;
};

}  // namespace left4me
