#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "reconciler/build.hpp"
#include "reconciler/desired.hpp"

namespace left4me {

/// The kind of an input that cannot be used.
enum class InputErrorKind {
    Source,   ///< an overlay's source: missing, empty, unreadable, or not allowed
    Unread,   ///< an overlay's source that is being read for the first time
    Secret,   ///< a file of /etc/left4me/secrets, or the host's key
    Unbuilt,  ///< a source whose content is known once a unit has built it
};

struct InputError {
    InputErrorKind kind = InputErrorKind::Source;
    std::string message;

    bool operator==(const InputError&) const = default;
};

/// What left4me-build@NAME.service is to build, and what it has built.
struct UnitBuild {
    /// Tells whether anything about the source has changed, without its being read; empty if that cannot be
    /// told.
    std::string input;
    /// Of the builds so far. An artifact that is not on this host any more is left out.
    BuildRecord record;
    /// The input whose build a person canceled; empty: none.
    std::string canceled;
    std::optional<TimePoint> canceled_at = {};  ///< nullopt: nobody has, or it is not known
    std::optional<TimePoint> requested = {};    ///< when the unit was last asked to build

    bool is_built() const { return record.artifact && record.artifact->is_of(input); }
    bool is_canceled() const { return !canceled.empty() && canceled == input; }
    /// No build that was asked for since has left a record. Of one that is not under way any more: the record
    /// could not be written (the disk is full), or its unit was stopped.
    bool is_unrecorded() const { return requested && record.ended < *requested && canceled.empty(); }
    /// When such a build is tried again; nullopt: at once, or there is none.
    std::optional<TimePoint> unrecorded_retry(TimePoint now) const;
};

/// Never nullptr. Servers with the same overlay share its text.
using SharedText = std::shared_ptr<const std::string>;

/// The current state of one overlay's source.
struct OverlayInput {
    std::optional<std::string> artifact;  ///< the digest of the source's content
    std::optional<InputError> error;      ///< why it is unknown
    std::optional<UnitBuild> build;       ///< of a source that a unit builds
    /// The artifact that a person rolled back to. One that is not on this host any more is left out.
    std::optional<std::string> rolled_back_to = {};
    /// The text of the server.cfg in the artifact, or why it cannot be used. Read only if some server runs it
    /// and the artifact (the one that was rolled back to, or the source's) is known.
    std::optional<std::expected<SharedText, InputError>> config = {};
};

/// The current state of everything that a revision refers to outside itself.
struct Inputs {
    std::map<std::string, OverlayInput> overlays;
    /// The text of each secret that some server's config names, by file.
    std::map<std::string, std::expected<std::string, InputError>> secrets;
    /// The host's random key. A rendering's digest is public (mountinfo shows it). If it depends on a secret,
    /// the key prevents anybody from testing passwords against it. Read only if a config uses a secret.
    std::expected<std::string, InputError> key =
        std::unexpected(InputError{InputErrorKind::Secret, "the host's key was not read"});
};

/// What is written for one server: server.env, server.cfg and the list of layers. `instances/NAME/DIGEST` on
/// disk.
class TargetRendering {
  public:
    /// `server` may point into a Desired that it keeps alive. `config`: server.cfg, if it contains a secret.
    /// `executed`: the texts of DesiredServer::execute_configs, in that order.
    TargetRendering(std::shared_ptr<const DesiredServer> server, std::optional<std::string> config,
                    const std::vector<std::string>& lower, std::string_view key,
                    std::vector<SharedText> executed = {});

    const std::string& digest() const { return digest_; }
    /// The whole layer stack, uppermost first, relative to the state directory:
    /// `instances/NAME/DIGEST/layer`, `overlays/A/DIGEST`…, `installation`.
    const std::vector<std::string>& layers() const { return layers_; }
    const std::string& name() const { return server_->name; }
    std::uint16_t port() const { return server_->port; }
    const std::string& environment() const { return server_->environment; }
    /// The text of `writable`; nullopt: the default, and no such file.
    const std::optional<std::string>& writable() const { return server_->writable; }
    const std::string& config() const { return config_ ? *config_ : server_->config; }
    /// What the game's console is told, too, so a change does not need another rendering.
    std::string cvars() const { return cvars_text(server_->cvars); }
    /// The overlays whose server.cfg server.cfg runs, and the text of each.
    const std::vector<std::string>& execute_configs() const { return server_->execute_configs; }
    const std::vector<SharedText>& executed() const { return executed_; }

  private:
    std::shared_ptr<const DesiredServer> server_;
    std::optional<std::string> config_;  ///< nullopt: the manifest's own text
    std::vector<std::string> layers_;
    std::vector<SharedText> executed_;
    std::string digest_;
};

/// What one overlay should be.
struct TargetOverlay {
    std::shared_ptr<const OverlaySource> source;
    /// The digest of what its source asks for, or why it is unknown.
    std::expected<std::string, InputError> artifact;
    /// Of one that a unit builds. Its artifact is known once it is built: nothing that can run waits for
    /// that.
    std::optional<UnitBuild> build = {};
    /// What servers get instead, because a person rolled it back. It is on this host.
    std::optional<std::string> rolled_back_to = {};

    /// The source can be read, and is not built yet.
    bool is_unbuilt() const { return !artifact && artifact.error().kind == InputErrorKind::Unbuilt; }
    /// What servers are to have; nullptr: it is unknown.
    const std::string* used() const {
        return rolled_back_to ? &*rolled_back_to : artifact ? &*artifact : nullptr;
    }
};

/// What one server should be.
struct TargetServer {
    const DesiredServer* spec = nullptr;  ///< of Target::desired
    /// The rendering that it should be started with, or why that is unknown.
    std::expected<std::shared_ptr<const TargetRendering>, InputError> rendering =
        std::unexpected(InputError{});

    /// Empty if unknown.
    std::string_view digest() const {
        return rendering ? std::string_view((*rendering)->digest()) : std::string_view();
    }
};

/// What the host should be.
struct Target {
    std::shared_ptr<const Desired> desired = std::make_shared<const Desired>();
    std::map<std::string, TargetOverlay> overlays;
    std::map<std::string, TargetServer> servers;
    /// Servers that a person wants restarted: whoever observes the host also tells their invocations.
    std::set<std::string> restarts;
    /// How many artifacts of each overlay stay, with the one that its source asks for; at least 1.
    std::size_t keep_artifacts = 1;

    const std::string& revision() const { return desired->revision; }
    const TargetServer* find(const std::string& server) const;
};

/// Pure: computes the layer stack and the rendering of every server from the manifests and the inputs.
Target resolve(std::shared_ptr<const Desired> desired, const Inputs& inputs);

/// Shows whether a server's specification changed: its manifest, blueprint or layers. `rendering`: the digest
/// of its rendering; empty: regardless of its layers and secrets.
std::string fingerprint(const DesiredServer& server, std::string_view rendering);

}  // namespace left4me
