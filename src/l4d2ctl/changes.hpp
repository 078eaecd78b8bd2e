#pragma once

#include <functional>
#include <string>
#include <vector>

#include "adapters/source/source.hpp"
#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/selection.hpp"
#include "l4d2ctl/session.hpp"
#include "l4d2ctl/source_text.hpp"

namespace left4me::ctl {

/// What an edit means for one object.
struct Effect {
    DocumentName object;
    std::string word;  ///< "created", "configured", "unchanged", "deleted", "is not there"
};

/// The source as it would be after an edit: valid as a whole, nothing written yet.
struct Proposal {
    std::vector<Effect> effects;
    SourceChange change;
    std::string verb;  ///< what the commit calls it, "stop"; empty: the effects' own words
    std::string revision;
    ManifestSet set;
};

/// Puts documents into the source: an object that exists is replaced where it stands, comments of other
/// documents and their order untouched; a new one gets the file KIND-NAME.yaml. Errors name the places that
/// the person wrote.
Result<Proposal> propose(const Session& session, const std::vector<SourceFile>& inputs);

/// Changes spec.state of the servers of a settled selection: of all of them, or of none.
Result<Proposal> propose_state(const Session& session, const Selection& selection, RunState state);

/// Takes objects out: those named, or the servers of a settled selection. Something that others refer to
/// stays, and the message names them. What is not there is no error.
Result<Proposal> propose_removal(const Session& session, const std::vector<DocumentName>& objects);
Result<Proposal> propose_removal(const Session& session, const Selection& selection);

/// Makes an edit under the lock for edits, whole or not at all, and prints its effects as `server/comp1
/// created`. `make` is asked again when the source has moved on between its reading and the commit.
Result<Proposal> edit(Session& session, const std::function<Result<Proposal>()>& make);
void tell_effects(const Session& session, const Proposal& proposal, const std::string& suffix = {});

/// edit(), then a pass that makes the host follow.
Result<Exit> edit_and_reconcile(Session& session, const std::function<Result<Proposal>()>& make,
                                const Patience& patience);

}  // namespace left4me::ctl
