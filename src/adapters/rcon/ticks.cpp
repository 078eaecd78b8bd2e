#include "adapters/rcon/ticks.hpp"

#include <algorithm>
#include <utility>

#include "adapters/rcon/kept_ticks.hpp"
#include "adapters/rcon/rounds.hpp"
#include "adapters/since_boot.hpp"

namespace left4me::rcon {
namespace {

using std::chrono::milliseconds;

/// So much later, nobody asks any more, and the game may run in another way.
constexpr milliseconds longest_known = 3 * tick_pause;

/// nullopt: nothing is known, or of another game.
std::optional<KeptTick> latest(const Paths& paths, const Subject& subject, milliseconds now) {
    auto kept = kept_tick(paths, subject.game.server);
    const bool is_known = kept && kept->rendering == subject.game.rendering && kept->start == subject.start &&
                          kept->asked <= now && now - kept->asked <= longest_known;
    return is_known ? kept : std::nullopt;
}

}  // namespace

std::map<std::string, ObservedTick> Ticks::watch(const std::vector<Subject>& subjects) {
    const milliseconds now = since_boot();
    std::map<std::string, ObservedTick> known;
    std::map<std::string, Watched> watched;
    for (const Subject& subject : subjects) {
        const auto before = watched_.find(subject.game.server);
        const bool is_same = before != watched_.end() && before->second.subject == subject;
        Watched& entry = watched[subject.game.server];
        entry = {subject, is_same ? before->second.due : now};
        const auto kept = latest(paths_, subject, now);
        if (!kept) continue;
        entry.due = std::max(entry.due, kept->asked + tick_pause);
        if (kept->said)
            known.emplace(subject.game.server, ObservedTick{.rate = kept->said->rate,
                                                            .players = kept->said->players,
                                                            .asked = kept->asked,
                                                            .age = now - kept->asked});
    }
    watched_ = std::move(watched);
    return known;
}

void Ticks::poll() {
    const milliseconds now = since_boot();
    for (auto& [server, watched] : watched_) {
        if (watched.due > now || rounds_.contains(server)) continue;
        watched.due = now + tick_pause;
        const Subject& subject = watched.subject;
        rounds_.emplace(server, Round{subject, now, Exchange(consoles_, subject.game, {"stats"})});
    }
    for (auto next = rounds_.begin(); next != rounds_.end();) {
        const auto entry = next++;
        Round& round = entry->second;
        const auto printed = round.exchange.advance(consoles_);
        if (!printed) continue;
        KeptTick kept{
            .rendering = round.subject.game.rendering, .start = round.subject.start, .asked = round.asked};
        if (*printed) kept.said = parse_stats(**printed);
        (void)keep_tick(paths_, entry->first, kept);
        rounds_.erase(entry);
    }
}

std::vector<Readiness> Ticks::readiness() const { return readiness_of(rounds_, watched_); }

void Ticks::read_due() {
    // Whoever else runs asks the others when they are due.
    std::erase_if(watched_, [this](const auto& entry) {
        return latest(paths_, entry.second.subject, since_boot()).has_value();
    });
    for (poll(); !rounds_.empty(); poll()) wait_for_any(readiness_of(rounds_));
}

}  // namespace left4me::rcon
