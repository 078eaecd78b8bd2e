#include "adapters/rcon/consoles.hpp"

#include <netinet/in.h>
#include <pwd.h>

#include <algorithm>
#include <utility>

#include "adapters/files.hpp"
#include "adapters/listening.hpp"
#include "adapters/rcon/status.hpp"
#include "adapters/since_boot.hpp"
#include "reconciler/console.hpp"
#include "specs/writable.hpp"

namespace left4me::rcon {
namespace {

using std::chrono::milliseconds;

constexpr const char* game_user = "left4me-server";

/// From one question to the next. A lobby is reserved for minutes. A game that is busy is not asked more
/// often either.
constexpr milliseconds watch_pause{10'000};
/// So much later, another process may have asked, or the game may have got another lobby.
constexpr milliseconds longest_known{60'000};

/// 1000 connections take 150 kB.
constexpr std::size_t max_table = std::size_t{16} * 1024 * 1024;
constexpr std::size_t max_listeners = 10'000;
constexpr std::size_t max_config = std::size_t{1} << 20U;

ObservedConsole observed(const KeptAnswer& answer, milliseconds now) {
    const milliseconds age = answer.asked > now ? milliseconds::max() : now - answer.asked;
    return {.state = answer.state, .humans = answer.humans, .is_reserved = answer.is_reserved, .age = age};
}

ObservedConsole failed(ObservedConsole::State state) {
    return {.state = state, .humans = 0, .is_reserved = false, .age = {}};
}

ObservedConsole understood(const Answer& answer) {
    using State = ObservedConsole::State;
    if (!answer) return failed(answer.error() == Failure::Refused ? State::Refused : State::Silent);
    const auto status = parse_status(*answer);
    if (!status) return failed(State::Silent);
    return {
        .state = State::Answered, .humans = status->humans, .is_reserved = status->is_reserved, .age = {}};
}

}  // namespace

std::optional<std::uint32_t> user_of_games() {
    const passwd* const user = ::getpwnam(game_user);  // NOLINT(concurrency-mt-unsafe): on the main thread
    return user == nullptr ? std::nullopt : std::optional<std::uint32_t>(user->pw_uid);
}

Consoles::Consoles(Paths paths, std::optional<std::uint32_t> user, std::filesystem::path sockets)
    : paths_(std::move(paths)), user_(user), sockets_(std::move(sockets)) {}

void Consoles::ask(const Game& game) { begin(game, false); }

/// A question that was asked before is dropped: who asks again wants to know how it is now.
void Consoles::begin(const Game& game, bool is_watch) {
    Asking asking{.game = game, .inode = 0, .asked = since_boot(), .session = {}, .is_watch = is_watch};
    const auto inode = listener(game.port);
    asking.inode = inode.value_or(0);
    if (inode && has_refused(game, *inode)) {
        asking.failed = ObservedConsole::State::Refused;
    } else if (const auto word = inode ? password(game) : std::nullopt) {
        asking.session.emplace(game.port, *word);
        asking.session->execute("status", longest_question);
    }
    asking_.insert_or_assign(game.server, std::move(asking));
}

std::optional<ObservedConsole> Consoles::advance(Asking& asking) const {
    if (!asking.session) return failed(asking.failed);
    const auto answer = asking.session->advance();
    if (!answer) return std::nullopt;
    return understood(*answer);
}

std::map<std::string, ObservedConsole> Consoles::poll() {
    const milliseconds now = since_boot();
    for (auto& [server, watched] : watched_) {
        if (watched.due > now) continue;
        watched.due = now + watch_pause;
        if (!asking_.contains(server)) begin(watched.game, true);
    }
    std::map<std::string, ObservedConsole> answered;
    for (auto next = asking_.begin(); next != asking_.end();) {
        const auto entry = next++;
        const auto said = advance(entry->second);
        if (!said) continue;
        const Asking asking = std::move(entry->second);
        asking_.erase(entry);
        const auto before = known(asking.game);
        keep(asking.game.server, {.inode = asking.inode,
                                  .rendering = asking.game.rendering,
                                  .asked = asking.asked,
                                  .state = said->state,
                                  .humans = said->humans,
                                  .is_reserved = said->is_reserved});
        if (!asking.is_watch) {
            answered.emplace(asking.game.server, *said);
        } else if (!before || !says_the_same(*before, *said)) {
            has_news_ = true;
        }
    }
    return answered;
}

void Consoles::run(const Game& game, const std::string& command) {
    auto session = connect(game);
    if (session) session->execute(command, longest_question);
    commands_.insert_or_assign(game.server, std::pair(game, std::move(session)));
}

std::map<std::string, std::expected<void, std::string>> Consoles::ran() {
    std::map<std::string, std::expected<void, std::string>> ended;
    for (auto next = commands_.begin(); next != commands_.end();) {
        const auto entry = next++;
        auto& [game, session] = entry->second;
        const auto answer = session ? session->advance() : std::optional<Answer>();
        if (session && !answer) continue;
        if (answer && !*answer && answer->error() == Failure::Refused) note_refusal(game);
        const std::string why = !session ? session.error() : !*answer ? describe(answer->error()) : "";
        ended.emplace(entry->first, why.empty() ? std::expected<void, std::string>() : std::unexpected(why));
        commands_.erase(entry);
    }
    return ended;
}

std::vector<Readiness> Consoles::readiness() const {
    std::vector<Readiness> all;
    for (const auto& [server, command] : commands_) {
        Readiness now;
        now.timeout = milliseconds(0);
        all.push_back(command.second ? command.second->readiness() : now);
    }
    for (const auto& [server, asking] : asking_) {
        Readiness now;
        now.timeout = milliseconds(0);
        all.push_back(asking.session ? asking.session->readiness() : now);
    }
    if (watched_.empty()) return all;
    Readiness next;
    milliseconds due = milliseconds::max();
    for (const auto& [server, watched] : watched_) due = std::min(due, watched.due);
    next.timeout = std::max(due - since_boot(), milliseconds(0));
    all.push_back(next);
    return all;
}

std::set<std::string> Consoles::heard_of() const {
    std::set<std::string> servers = servers_with_answers(paths_);
    for (const auto& [server, answer] : own_) servers.insert(server);
    return servers;
}

std::optional<ObservedConsole> Consoles::known(const Game& game) const {
    const auto kept = latest(game.server);
    if (!kept || kept->rendering != game.rendering) return std::nullopt;
    const ObservedConsole console = observed(*kept, since_boot());
    // A refusal stays true as long as the game runs. left4me-read@.service does not see the game's socket.
    if (console.state == ObservedConsole::State::Refused) {
        const auto inode = listener(game.port);
        return inode && *inode != kept->inode ? std::nullopt : std::optional(console);
    }
    if (console.age > longest_known) return std::nullopt;
    return console;
}

void Consoles::watch(const std::string& server, const std::optional<Game>& game) {
    if (!game) {
        watched_.erase(server);
        return;
    }
    const auto [found, is_new] = watched_.try_emplace(server);
    if (!is_new && found->second.game == *game) return;
    const milliseconds now = since_boot();
    const auto kept = latest(server);
    found->second = {.game = *game, .due = (kept ? std::min(kept->asked, now) : now) + watch_pause};
}

std::expected<Session, std::string> Consoles::connect(const Game& game) const {
    const auto inode = listener(game.port);
    if (!inode) return std::unexpected(describe(Failure::NotListening));
    if (has_refused(game, *inode)) return std::unexpected(describe(Failure::Refused));
    const auto word = password(game);
    if (!word) return std::unexpected("has no password that left4me knows");
    return Session(game.port, *word);
}

void Consoles::note_refusal(const Game& game) {
    keep(game.server, {.inode = listener(game.port).value_or(0),
                       .rendering = game.rendering,
                       .asked = since_boot(),
                       .state = ObservedConsole::State::Refused});
}

/// Another user could listen where the game does not.
std::optional<std::uint64_t> Consoles::listener(std::uint16_t port) const {
    const auto table = user_ ? read_file(sockets_, max_table) : std::unexpected(std::string());
    if (!table) return std::nullopt;
    for (const auto& [socket, queued] : listening_sockets(*table, *user_, max_listeners)) {
        const bool is_reachable = socket.at.address == INADDR_ANY || socket.at.address == INADDR_LOOPBACK;
        if (socket.at.port == port && is_reachable) return socket.inode;
    }
    return std::nullopt;
}

std::optional<std::string> Consoles::password(const Game& game) const {
    const auto config =
        read_file(paths_.state / game.rendering / "layer" / std::string(server_config), max_config);
    return config ? console_password(*config) : std::nullopt;
}

void Consoles::keep(const std::string& server, const KeptAnswer& answer) {
    own_.insert_or_assign(server, answer);
    (void)keep_answer(paths_, server, answer);
}

std::optional<KeptAnswer> Consoles::latest(const std::string& server) const {
    auto kept = kept_answer(paths_, server);
    const auto own = own_.find(server);
    if (own != own_.end() && (!kept || kept->asked < own->second.asked)) return own->second;
    return kept;
}

bool Consoles::has_refused(const Game& game, std::uint64_t inode) const {
    const auto kept = latest(game.server);
    return kept && kept->state == ObservedConsole::State::Refused && kept->inode == inode &&
           kept->rendering == game.rendering;
}

}  // namespace left4me::rcon
