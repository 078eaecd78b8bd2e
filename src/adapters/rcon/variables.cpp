#include "adapters/rcon/variables.hpp"

#include <algorithm>

#include "adapters/rcon/cvar_lines.hpp"
#include "adapters/rcon/rounds.hpp"
#include "adapters/since_boot.hpp"

namespace left4me::rcon {
namespace {

using std::chrono::milliseconds;

/// Somebody may have changed one in the game.
constexpr milliseconds read_pause{300'000};
/// A game that did not answer may be loading a map.
constexpr milliseconds silent_pause{10'000};
/// So much later, nobody reads them any more.
constexpr milliseconds longest_known{900'000};

milliseconds due_after(const KeptCvars& kept) { return kept.asked + (kept.said ? read_pause : silent_pause); }

bool is_about(const KeptCvars& kept, const Subject& subject) {
    return kept.rendering == subject.game.rendering && kept.start == subject.start &&
           std::includes(kept.names.begin(), kept.names.end(), subject.names.begin(), subject.names.end());
}

}  // namespace

std::map<std::string, ObservedCvars> Variables::watch(const std::vector<Subject>& subjects) {
    const milliseconds now = since_boot();
    std::map<std::string, ObservedCvars> known;
    watched_.clear();
    for (const Subject& subject : subjects) {
        const auto kept = latest(subject.game.server);
        const bool is_known = kept && kept->asked <= now && is_about(*kept, subject);
        watched_[subject.game.server] = {subject, is_known ? due_after(*kept) : now};
        if (is_known && kept->said && now - kept->asked <= longest_known)
            known.emplace(subject.game.server, *kept->said);
    }
    return known;
}

void Variables::set(const Game& game, const Cvars& cvars) {
    const auto watched = watched_.find(game.server);
    if (watched == watched_.end() || watched->second.subject.game != game) {
        ended_.insert_or_assign(game.server, std::unexpected("belongs to another game by now"));
        return;
    }
    begin(watched->second.subject, cvars, true);
}

void Variables::begin(const Subject& subject, const Cvars& set, bool is_request) {
    std::vector<std::string> lines = lines_that_set(set);
    const std::size_t setting = lines.size();
    for (std::string& line : lines_that_read(subject.names)) lines.push_back(std::move(line));
    rounds_.insert_or_assign(
        subject.game.server,
        Round{subject, Exchange(consoles_, subject.game, std::move(lines), setting), is_request});
}

void Variables::poll() {
    const milliseconds now = since_boot();
    for (auto& [server, watched] : watched_) {
        if (watched.due > now || rounds_.contains(server)) continue;
        watched.due = now + silent_pause;
        begin(watched.subject, {}, false);
    }
    for (auto next = rounds_.begin(); next != rounds_.end();) {
        const auto entry = next++;
        const auto printed = entry->second.exchange.advance(consoles_);
        if (!printed) continue;
        const Round round = std::move(entry->second);
        rounds_.erase(entry);
        keep(round, *printed);
        if (!round.is_request) continue;
        ended_.insert_or_assign(round.subject.game.server, *printed ? std::expected<void, std::string>()
                                                                    : std::unexpected(printed->error()));
    }
}

void Variables::keep(const Round& round, const std::expected<std::string, std::string>& printed) {
    const std::string& server = round.subject.game.server;
    KeptCvars kept{.rendering = round.subject.game.rendering,
                   .start = round.subject.start,
                   .asked = since_boot(),
                   .names = round.subject.names};
    if (printed) {
        kept.said.emplace();
        for (auto& [name, value] : parse_cvars(*printed)) {
            if (kept.names.contains(name)) kept.said->values.emplace(name, std::move(value));
        }
    }
    const auto before = latest(server);
    has_news_ = has_news_ || !before || !is_about(*before, round.subject) || before->said != kept.said;
    if (const auto watched = watched_.find(server); watched != watched_.end())
        watched->second.due = due_after(kept);
    (void)keep_cvars(paths_, server, kept);
    own_.insert_or_assign(server, std::move(kept));
}

std::optional<KeptCvars> Variables::latest(const std::string& server) const {
    auto kept = kept_cvars(paths_, server);
    const auto own = own_.find(server);
    if (own != own_.end() && (!kept || kept->asked < own->second.asked)) return own->second;
    return kept;
}

std::vector<Readiness> Variables::readiness() const { return readiness_of(rounds_, watched_); }

void Variables::read_due() {
    // Whoever else runs reads them again when they are due.
    std::erase_if(watched_, [this](const auto& entry) {
        const auto kept = latest(entry.first);
        return kept && is_about(*kept, entry.second.subject) && since_boot() - kept->asked <= longest_known;
    });
    for (poll(); !rounds_.empty(); poll()) wait_for_any(readiness_of(rounds_));
}

}  // namespace left4me::rcon
