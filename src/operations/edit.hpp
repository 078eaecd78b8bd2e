#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "operations/context.hpp"
#include "operations/selection.hpp"
#include "operations/settling.hpp"
#include "operations/source_text.hpp"
#include "reconciler/stop_request.hpp"

namespace left4me::operations {

enum class Change { Created, Configured, Unchanged, Deleted, NotThere };

const char* to_string(Change change);  ///< "created", …, "is not there"

/// The effect of an edit on one object.
struct Effect {
    DocumentName object;
    Change change = Change::Unchanged;
};

/// The source as it would be after an edit: valid as a whole, not written yet.
struct Proposal {
    std::vector<Effect> effects;
    SourceChange change;
    std::string verb;  ///< the verb in the commit message, "stop"; empty: use the effects' own words
    StopRequest stop;  ///< the servers that it stops or deletes
    std::set<std::string> starts;  ///< those that shall run: they are not to be stopped any more
    std::string revision;
    ManifestSet set;
};

/// Adds documents to the source. An existing object is replaced in place; comments and order of other
/// documents stay. A new one gets the file KIND-NAME.yaml. Errors name positions in the person's own files. A
/// lock file among the inputs is left out: the source has its own.
Result<Proposal> propose(const Context& context, const std::vector<SourceFile>& inputs);

/// Changes spec.state of all selected servers, or of none.
Result<Proposal> propose_state(const Context& context, const Selection& selection, RunState state);

/// Removes objects: the named ones, or the selected servers. An object that others refer to stays, and the
/// message names them. A missing object is not an error.
Result<Proposal> propose_removal(const Context& context, const std::vector<DocumentName>& objects);
Result<Proposal> propose_removal(const Context& context, const Selection& selection);

/// Replaces these pins in the lock file of the source, and removes its stale ones. A pin of a source that the
/// manifests do not name any more is left out. Effects: the overlays whose pins change.
Result<Proposal> propose_lock(const Context& context, const std::map<std::string, LockedInput>& pins);

/// Makes an edit atomically, under the lock for edits. `make` is called again if the source has changed
/// between reading and commit.
Result<Proposal> commit(Context& context, const std::function<Result<Proposal>()>& make);

/// The same for a command about single servers, whose stops must not wait for what else the source would take
/// down: notes them as StopRequests, before the edit and under the pass lock, so that no pass sees the edit
/// without its request. If the edit cannot be made, what was asked for before stays. A request to stop a
/// server ends after the edit that starts it.
Result<Proposal> commit_for_servers(Context& context, const std::function<Result<Proposal>()>& make);

/// The manifests beneath a directory, at most `max_bytes` a file, for whoever proposes all of them. Nothing
/// is parsed.
Result<std::vector<SourceFile>> read_manifest_files(const std::string& directory, std::size_t max_bytes);

/// NotDone if a suspension or a missing approval keeps a server of concern from the state that a committed
/// edit asked for. `difference`: what is left after it was followed. systemd is asked only about servers that
/// are held.
Result<void> check_state(const Context& context, const Plan& difference, const Concern& concern,
                         RunState state);

}  // namespace left4me::operations
