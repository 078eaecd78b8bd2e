#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <string_view>

#include "reconciler/target.hpp"

namespace left4me {
namespace {

/// A fast, stable 64-bit hash. It distinguishes versions of a manifest and need not be cryptographic. It is
/// computed for every server in every pass, so it reads eight bytes at a time.
class QuickDigest {
  public:
    void add(std::uint64_t value) {
        state_ = (state_ ^ value) * 0x9E3779B97F4A7C15U;
        state_ ^= state_ >> 29U;
    }

    /// Adds the length first, so that ("ab", "c") and ("a", "bc") differ.
    void add(std::string_view text) {
        add(text.size());
        while (text.size() >= sizeof(std::uint64_t)) {
            add(word(text, sizeof(std::uint64_t)));
            text.remove_prefix(sizeof(std::uint64_t));
        }
        add(word(text, text.size()));
    }

    std::string text() const { return fmt::format("{:016x}", state_); }

  private:
    static std::uint64_t word(std::string_view text, std::size_t size) {
        std::uint64_t value = 0;
        if (size > 0) std::memcpy(&value, text.data(), size);  // the pointer of an empty view may be null
        return value;
    }

    std::uint64_t state_ = 0xCBF29CE484222325U;
};

}  // namespace

std::string fingerprint(const DesiredServer& server, std::string_view rendering) {
    QuickDigest digest;
    digest.add(server.name);
    digest.add(server.port);
    digest.add(static_cast<std::uint64_t>(server.state));
    digest.add(static_cast<std::uint64_t>(server.rollout.policy));
    digest.add(server.rollout.deadline ? static_cast<std::uint64_t>(server.rollout.deadline->count()) + 1
                                       : 0);
    // What is not there adds nothing, so an upgrade makes no new specifications.
    const auto add = [&digest](std::uint64_t tag, std::int64_t value) {
        digest.add(tag);
        digest.add(static_cast<std::uint64_t>(value));
    };
    if (server.rollout.deadline_at) add(1, server.rollout.deadline_at->count());
    if (server.rollout.max_players > 0) add(2, server.rollout.max_players);
    for (const std::chrono::seconds lead : server.rollout.warn) add(4, lead.count());
    if (server.rollout.window)
        add(3, server.rollout.window->from.count() * 1440 + server.rollout.window->until.count());
    for (const ScheduleEntry& entry : server.schedule) {
        add(11, entry.when_empty ? 1 : 0);
        digest.add(entry.at);
        digest.add(entry.command.value_or("Restart"));
    }
    if (server.health != Health{}) {
        add(5, server.health.startup.count());
        add(6, server.health.unresponsive.value_or(std::chrono::seconds(0)).count());
    }
    if (const Degraded& degraded = server.health.degraded; degraded != Degraded{}) {
        add(14, degraded.below);
        add(15, degraded.lasts.count());
        add(16, static_cast<std::int64_t>(degraded.action));
    }
    if (const BlueprintRollout& rollout = server.blueprint_rollout; rollout != BlueprintRollout{}) {
        add(7, rollout.canary);
        add(8, rollout.soak.count());
        const Share share = rollout.max_unavailable.value_or(Share{0, false});
        add(share.is_percentage ? 9 : 10, share.value);
        if (rollout.rollback_on_failure) add(13, 1);
    }
    digest.add(static_cast<std::uint64_t>(server.drift));
    digest.add(server.blueprint);
    digest.add(server.overlays.size());
    for (const std::string& overlay : server.overlays) digest.add(overlay);
    if (!server.installation.empty()) digest.add(server.installation);
    digest.add(server.environment);
    digest.add(server.config);
    for (const auto& [name, value] : server.cvars) {
        add(12, 1);
        digest.add(name);
        digest.add(value);
    }
    if (server.writable) digest.add(*server.writable);  // the default adds nothing, as in version 0.1
    digest.add(
        rendering);  // covers the layers and the secrets, because it is the digest of the whole rendering
    return digest.text();
}

}  // namespace left4me
