#include "operations/edit.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "adapters/directory/source.hpp"
#include "adapters/store/requests.hpp"
#include "adapters/trigger/client.hpp"
#include "operations/lock.hpp"
#include "operations/objects.hpp"
#include "operations/view.hpp"
#include "reconciler/pinning.hpp"
#include "specs/documents.hpp"
#include "specs/edit.hpp"
#include "specs/lock.hpp"

namespace left4me::operations {

namespace {

/// How often an edit is redone because somebody else pushed meanwhile.
constexpr int max_attempts = 20;

/// The source's files, while they are edited in memory.
class Edited {
  public:
    explicit Edited(std::vector<SourceFile> files)
        : files_(std::move(files)), before_(files_), index_(index_documents(files_)) {}

    const std::vector<SourceFile>& files() const { return files_; }

    const DocumentPlace* find(const DocumentName& object) const {
        const auto found = index_.find(object);
        return found == index_.end() ? nullptr : &found->second;
    }

    const std::string& text(const DocumentPlace& place) const { return files_[place.file].text; }
    void replace(const DocumentPlace& place, std::string text) { files_[place.file].text = std::move(text); }

    /// Adds a new document to the named file, which may exist already.
    void add(const DocumentName& object, const std::string& name, const std::string& body) {
        const auto same_name = [&name](const SourceFile& file) { return file.name == name; };
        auto file = std::find_if(files_.begin(), files_.end(), same_name);
        if (file == files_.end()) {
            file = files_.insert(files_.end(), {name, body});
        } else {
            file->text = append_document(file->text, body);
        }
        const auto documents = split_documents(file->text).size();
        index_[object] = {static_cast<std::size_t>(file - files_.begin()), documents - 1};
    }

    /// The differences from what was read.
    SourceChange change() const {
        SourceChange change;
        for (std::size_t i = 0; i < files_.size(); ++i) {
            if (i >= before_.size() || files_[i].text != before_[i].text) {
                change.write.emplace(files_[i].name, files_[i].text);
            }
        }
        return change;
    }

  private:
    std::vector<SourceFile> files_;
    std::vector<SourceFile> before_;
    DocumentIndex index_;
};

/// The last good revision still exists: it can be printed, and applied once a person confirms that the source
/// should be empty.
std::string vanished_remedy(const Context& context) {
    if (!has_last_good(context.paths)) return {};
    return "\n  mount or restore it; l4d2ctl get all -o yaml prints the last good revision\n  if nothing is "
           "wanted any "
           "more, put a *.yaml with only a comment there";
}

/// The current source. An empty one is the state of a new host; one that has become empty is a loss, and
/// writing a single manifest there would make that the whole revision.
Result<Snapshot> read_for_edit(const Context& context) {
    auto snapshot = context.source->read();
    if (snapshot) return std::move(*snapshot);
    if (context.source->is_blank() && !has_last_good(context.paths)) return Snapshot{};
    const SourceError& error = snapshot.error();
    if (error.error_kind != SourceErrorKind::Vanished) {
        return fail(kind_of(error.error_kind), error.message + "nothing was changed");
    }
    return fail(ErrorKind::SourceUnavailable,
                error.message + "the source has vanished; nothing was changed" + vanished_remedy(context));
}

void sort_files(std::vector<SourceFile>& files) {
    std::sort(files.begin(), files.end(),
              [](const SourceFile& a, const SourceFile& b) { return a.name < b.name; });
}

Result<Proposal> finish(const Context& context, const Snapshot& before, std::vector<SourceFile> files,
                        SourceChange change, std::vector<Effect> effects) {
    sort_files(files);
    auto set = load(files, context.config.limits);
    if (!set) return fail(ErrorKind::InvalidManifest, to_string(set.error()));
    Proposal proposal;
    proposal.effects = std::move(effects);
    proposal.change = std::move(change);
    proposal.change.base = before.revision;
    const bool same = proposal.change.empty() && !before.revision.empty();
    proposal.revision = same ? before.revision : context.source->expected_revision(files);
    proposal.set = std::move(*set);
    return proposal;
}

/// The text with one document blanked; all other lines stay in place.
std::string without_document(std::string text, std::size_t document) {
    const DocumentSpan span = split_documents(text).at(document);
    for (std::size_t i = span.body; i < span.end; ++i) {
        if (text[i] != '\n' && text[i] != '\r') text[i] = ' ';
    }
    return text;
}

/// Checks the input under the names that the person knows: the source without the objects that will be
/// replaced, plus the input.
Result<void> check_inputs(const Context& context, std::vector<SourceFile> files,
                          const std::vector<SourceFile>& inputs) {
    const DocumentIndex index = index_documents(files);
    for (const SourceFile& input : inputs) {
        for (const auto& [object, document] : name_documents(input.text)) {
            const auto place = index.find(object);
            if (place == index.end()) continue;
            std::string& text = files[place->second.file].text;
            text = without_document(text, place->second.document);
        }
    }
    files.insert(files.end(), inputs.begin(), inputs.end());
    const auto set = load(files, context.config.limits);
    if (!set) return fail(ErrorKind::InvalidManifest, to_string(set.error()));
    return {};
}

Change put(const Context& context, Edited& edited, const DocumentName& object, const std::string& body) {
    if (const DocumentPlace* const place = edited.find(object)) {
        const std::string& text = edited.text(*place);
        if (document_body(text, place->document) == body) return Change::Unchanged;
        edited.replace(*place, replace_document(text, place->document, body));
        return Change::Configured;
    }
    const std::string file = fmt::format("{}-{}.yaml", to_string(object.kind), object.name);
    edited.add(object, context.source->new_file(file), body);
    return Change::Created;
}

std::string with_comment(std::string text) {
    if (text.find('#') != std::string::npos) return text;
    return "# No manifests: nothing is wanted on this host.\n";
}

/// The objects that would be left with a dangling reference.
std::vector<std::string> referrers(const ManifestSet& set, const DocumentName& object) {
    std::vector<std::string> names;
    if (object.kind == Kind::Blueprint) {
        for (const std::string& name : servers_using(set, object.name)) names.push_back("server/" + name);
    }
    if (has_artifacts(object.kind)) {
        for (const auto& [name, blueprint] : set.blueprints) {
            const auto& overlays = blueprint.overlays;
            if (installation_of(set, blueprint) == object.name ||
                std::find(overlays.begin(), overlays.end(), object.name) != overlays.end())
                names.push_back("blueprint/" + name);
        }
    }
    return names;
}

/// `server/comp1 created` or `stop server/comp1`, with the details below.
Authorship authorship(const Context& context, const Proposal& proposal) {
    Authorship who = context.caller;
    std::vector<std::string> done;
    for (const Effect& effect : proposal.effects) {
        if (effect.change == Change::Unchanged || effect.change == Change::NotThere) continue;
        const std::string object = to_string(effect.object);
        done.push_back(proposal.verb.empty() ? object + " " + to_string(effect.change)
                                             : proposal.verb + " " + object);
    }
    const std::size_t others = done.empty() ? 0 : done.size() - 1;
    who.message = done.empty() ? "manifests changed" : done.front();
    if (others > 0) who.message += fmt::format(", and {} more", others);
    who.message += fmt::format("\n\nMade by {}.\n", context.purpose);
    if (others > 0) who.message += fmt::format("\n{}\n", fmt::join(done, "\n"));
    return who;
}

}  // namespace

const char* to_string(Change change) {
    switch (change) {
        case Change::Created:
            return "created";
        case Change::Configured:
            return "configured";
        case Change::Unchanged:
            return "unchanged";
        case Change::Deleted:
            return "deleted";
        case Change::NotThere:
            return "is not there";
    }
    return "?";
}

Result<Proposal> propose(const Context& context, const std::vector<SourceFile>& given) {
    const auto before = read_for_edit(context);
    if (!before) return std::unexpected(before.error());
    std::vector<SourceFile> inputs = given;
    std::erase_if(inputs, [](const SourceFile& input) { return is_lock_file(input.name); });
    if (auto checked = check_inputs(context, before->files, inputs); !checked)
        return std::unexpected(checked.error());
    Edited edited(before->files);
    std::vector<Effect> effects;
    for (const SourceFile& input : inputs) {
        for (const auto& [object, document] : name_documents(input.text)) {
            effects.push_back({object, put(context, edited, object, document_body(input.text, document))});
        }
    }
    if (effects.empty())
        return fail(ErrorKind::InvalidManifest, "no manifest was given: there are only comments");
    SourceChange change = edited.change();
    return finish(context, *before, edited.files(), std::move(change), std::move(effects));
}

Result<Proposal> propose_state(const Context& context, const Selection& selection, RunState state) {
    const auto source = read_for_edit(context);
    if (!source) return std::unexpected(source.error());
    Edited edited(source->files);
    const auto before = load(edited.files(), context.config.limits);
    // One server can be stopped in a source that is invalid elsewhere; labels are known only if the source is
    // valid.
    if (!before && selection.names.empty())
        return fail(ErrorKind::InvalidManifest, to_string(before.error()));
    const auto names =
        before ? select_servers(selection, *before) : Result<std::vector<std::string>>(selection.names);
    if (!names) return std::unexpected(names.error());
    std::vector<Effect> effects;
    for (const std::string& name : *names) {
        const DocumentName object{Kind::Server, name};
        const DocumentPlace* const place = edited.find(object);
        if (place == nullptr) {
            return fail(ErrorKind::NotFound,
                        fmt::format("server/{} is not there; l4d2ctl get servers lists them", name));
        }
        // If the effective value is the same already, perhaps by default, the text stays.
        if (before && before->servers.at(name).state == state) {
            effects.push_back({object, Change::Unchanged});
            continue;
        }
        auto text = set_state(edited.text(*place), place->document, state);
        if (!text)
            return fail(ErrorKind::InvalidManifest, edited.files()[place->file].name + ": " + text.error());
        edited.replace(*place, std::move(*text));
        effects.push_back({object, Change::Configured});
    }
    auto proposal = finish(context, *source, edited.files(), edited.change(), std::move(effects));
    if (!proposal) return proposal;
    proposal->verb = state == RunState::Running ? "start" : "stop";
    std::set<std::string> servers(names->begin(), names->end());
    if (state == RunState::Stopped) {
        proposal->stop.servers = std::move(servers);
    } else {
        proposal->starts = std::move(servers);
    }
    return proposal;
}

Result<Proposal> propose_removal(const Context& context, const std::vector<DocumentName>& objects) {
    const auto source = read_for_edit(context);
    if (!source) return std::unexpected(source.error());
    std::vector<SourceFile> files = source->files;
    const DocumentIndex index = index_documents(files);
    // If the source is invalid already, this may be the very object to remove; the result is checked in any
    // case.
    const auto before = load(files, context.config.limits);
    std::vector<Effect> effects;
    std::map<std::size_t, std::set<std::size_t>> doomed;  // documents, by file
    for (const DocumentName& object : objects) {
        const auto found = index.find(object);
        effects.push_back({object, found == index.end() ? Change::NotThere : Change::Deleted});
        if (found == index.end()) continue;
        const auto names = before ? referrers(*before, object) : std::vector<std::string>();
        if (!names.empty()) {
            return fail(ErrorKind::StillReferenced,
                        fmt::format("{} is used by {}; remove the reference first", to_string(object),
                                    fmt::join(names, ", ")));
        }
        doomed[found->second.file].insert(found->second.document);
    }
    SourceChange change;
    auto manifests = std::count_if(files.begin(), files.end(),
                                   [](const SourceFile& file) { return !is_lock_file(file.name); });
    // From the end, so that the positions of the other documents stay valid.
    for (auto file = doomed.rbegin(); file != doomed.rend(); ++file) {
        SourceFile& edited = files[file->first];
        for (auto document = file->second.rbegin(); document != file->second.rend(); ++document)
            edited.text = remove_document(edited.text, *document);
        if (has_no_documents(edited.text) && manifests > 1) {
            --manifests;
            change.remove.insert(edited.name);
            files.erase(files.begin() + static_cast<std::ptrdiff_t>(file->first));
            continue;
        }
        // The last file stays: an empty directory would be a vanished source.
        if (has_no_documents(edited.text)) edited.text = with_comment(std::move(edited.text));
        change.write.emplace(edited.name, edited.text);
    }
    auto proposal = finish(context, *source, std::move(files), std::move(change), std::move(effects));
    if (!proposal) return proposal;
    proposal->stop.removes = true;
    for (const DocumentName& object : objects) {
        if (object.kind == Kind::Server) proposal->stop.servers.insert(object.name);
    }
    return proposal;
}

Result<Proposal> propose_removal(const Context& context, const Selection& selection) {
    std::vector<std::string> names = selection.names;
    if (names.empty()) {
        const auto source = read_for_edit(context);
        if (!source) return std::unexpected(source.error());
        const auto set = load(source->files, context.config.limits);
        if (!set) return fail(ErrorKind::InvalidManifest, to_string(set.error()));
        auto selected = select_servers(selection, *set);
        if (!selected) return std::unexpected(selected.error());
        names = std::move(*selected);
    }
    std::vector<DocumentName> objects;
    for (const std::string& name : names) objects.push_back({Kind::Server, name});
    return propose_removal(context, objects);
}

Result<Proposal> propose_lock(const Context& context, const std::map<std::string, LockedInput>& pins) {
    const auto before = read_for_edit(context);
    if (!before) return std::unexpected(before.error());
    const auto set = load(before->files, context.config.limits);
    if (!set) return fail(ErrorKind::InvalidManifest, to_string(set.error()));
    Lock lock = set->lock;
    for (const StalePin& stale : stale_pins(*set)) lock.erase(stale.overlay);
    std::vector<Effect> effects;
    for (const auto& [name, input] : pins) {
        const auto overlay = set->overlays.find(name);
        if (overlay == set->overlays.end() || pin_identity(overlay->second.source) != input.source) continue;
        const auto pinned = lock.find(name);
        const bool same = pinned != lock.end() && pinned->second.pin == input.pin;
        effects.push_back(
            {{kind_of(overlay->second.source), name}, same ? Change::Unchanged : Change::Configured});
        lock[name] = input;
    }
    const std::string text = write_lock(lock);
    std::vector<SourceFile> files = before->files;
    const auto file = std::find_if(files.begin(), files.end(),
                                   [](const SourceFile& one) { return is_lock_file(one.name); });
    SourceChange change;
    if (file == files.end()) {
        if (!lock.empty()) {
            files.push_back({context.source->new_file(std::string(lock_file_name)), text});
            change.write.emplace(files.back().name, text);
        }
    } else if (file->text != text) {
        file->text = text;
        change.write.emplace(file->name, text);
    }
    auto proposal = finish(context, *before, std::move(files), std::move(change), std::move(effects));
    if (proposal) proposal->verb = "lock";
    return proposal;
}

Result<Proposal> commit(Context& context, const std::function<Result<Proposal>()>& make) {
    const auto lock = lock_edits(context);
    if (!lock) return std::unexpected(lock.error());
    for (int attempt = 0;; ++attempt) {
        auto proposal = make();
        if (!proposal) return proposal;
        if (!proposal->change.empty()) {
            auto committed = context.source->commit(proposal->change, authorship(context, *proposal));
            if (!committed && committed.error().moved && attempt < max_attempts) continue;
            if (!committed) return fail(ErrorKind::CommitFailed, committed.error().message);
            proposal->revision = std::move(*committed);
        }
        return proposal;
    }
}

Result<Proposal> commit_for_servers(Context& context, const std::function<Result<Proposal>()>& make) {
    const auto lock = lock_host(context);
    if (!lock) return std::unexpected(lock.error());
    const auto loaded = load_stop_requests(context.paths);
    const StopRequests before = loaded.value_or(StopRequests{});
    bool drains = false;
    auto committed = commit(context, [&]() -> Result<Proposal> {
        auto proposal = make();
        if (!proposal || proposal->stop.servers.empty()) return proposal;
        // A damaged file suspends everything. Only a stop replaces it: other drains are lost with it.
        if (!loaded && proposal->stop.drain) return fail(ErrorKind::StateFailed, loaded.error());
        StopRequests requests = before;
        add_request(requests, proposal->stop);
        if (auto saved = save_stop_requests(context.paths, requests); !saved)
            return fail(ErrorKind::StateFailed, saved.error());
        drains = proposal->stop.drain.has_value();
        return proposal;
    });
    if (!committed) {
        // An edit that failed halfway may be seen all the same: then its drain must be, too.
        const bool may_be_seen = drains && committed.error().kind == ErrorKind::CommitFailed;
        if (loaded && !may_be_seen) (void)save_stop_requests(context.paths, before);
    } else if (loaded && !committed->starts.empty()) {
        StopRequests requests = before;
        withdraw(requests, committed->starts);
        if (auto saved = save_stop_requests(context.paths, requests); !saved)
            return fail(ErrorKind::StateFailed, saved.error());
    }
    // While the lock is held: a daemon that has read only one of the two reads again before it acts.
    (void)trigger(context.paths, {.retry = false, .actor = actor_of(context.caller)});
    return committed;
}

Result<std::vector<SourceFile>> read_manifest_files(const std::string& directory, std::size_t max_bytes) {
    Limits limits;
    limits.file_bytes = max_bytes;
    auto files = read_manifests(directory, limits);
    if (!files) return fail(ErrorKind::InvalidManifest, files.error());
    if (!has_manifests(*files))
        return fail(ErrorKind::InvalidManifest, directory + ": holds no manifest (*.yaml)");
    return std::move(*files);
}

Result<void> check_state(const Context& context, const Plan& difference, const Concern& concern,
                         RunState state) {
    std::map<std::string, std::string> held;  // why, by server
    std::vector<std::string> names;
    for (const Action& action : difference.actions) {
        const bool is_held =
            action.code == HoldReason::ApprovalRequired || action.code == HoldReason::Suspended;
        if (!is_held || action.subject.kind != Kind::Server || !concerns(concern, action.subject)) continue;
        if (held.try_emplace(action.subject.name, action.reason).second) names.push_back(action.subject.name);
    }
    if (held.empty()) return {};
    const auto machine = connect(context);
    if (!machine) return std::unexpected(machine.error());
    const auto details = (*machine)->units().details(names);
    if (!details) return fail(ErrorKind::HostUnavailable, details.error());
    std::string undone;
    for (const auto& [name, why] : held) {
        const bool runs = details->at(name).unit.active == ActiveState::Active;
        if (runs == (state == RunState::Running)) continue;
        undone += fmt::format("server/{} was not {}: {}\n", name,
                              state == RunState::Running ? "started" : "stopped", why);
    }
    if (undone.empty()) return {};
    return fail(ErrorKind::NotDone, undone);
}

}  // namespace left4me::operations
