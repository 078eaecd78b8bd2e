#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "adapters/paths.hpp"
#include "adapters/rcon/kept_answers.hpp"
#include "adapters/rcon/session.hpp"
#include "adapters/readiness.hpp"

namespace left4me::rcon {

/// A running game whose console has a password that left4me rendered.
struct Game {
    std::string server;
    std::uint16_t port = 0;
    std::string rendering;  ///< the one that it was started with, `instances/NAME/DIGEST`

    bool operator==(const Game&) const = default;
};

/// Who owns the sockets of games; nullopt: there is no such user yet.
std::optional<std::uint32_t> user_of_games();

/// Asks the consoles of games who is on them, any number at the same time; never blocks. Only the game's own
/// user is sent a password: whoever else listens on a port is not asked.
class Consoles {
  public:
    /// `user`: whose sockets are games; nullopt: there is no such user, and no game can be asked. `sockets`:
    /// the kernel's table, which has this name even where only processes are visible in /proc.
    explicit Consoles(Paths paths, std::optional<std::uint32_t> user,
                      std::filesystem::path sockets = "/proc/self/net/tcp");

    /// A new question; poll() will tell of the answer, within longest_question. A password that this game has
    /// refused before is not sent again.
    void ask(const Game& game);
    /// Whose questions have been answered, and how, since the last call.
    std::map<std::string, ObservedConsole> poll();
    /// Gives it a command, one for a game at a time; ran() will tell whether it took it, within
    /// longest_question.
    void run(const Game& game, const std::string& command);
    /// By server: what has ended since the last call. The error is for people.
    std::map<std::string, std::expected<void, std::string>> ran();
    /// When poll() and ran() should be called again.
    std::vector<Readiness> readiness() const;

    /// Of which servers known() may say something: most consoles have never been asked.
    std::set<std::string> heard_of() const;
    /// What is known of it: from whichever process asked last. nullopt: nothing, or it is too old.
    std::optional<ObservedConsole> known(const Game& game) const;

    /// A game whose last answer said that it is occupied, and which nobody plays on as far as anybody can
    /// see: poll() asks it again ten seconds after the last question, or at once if that was longer ago.
    /// nullopt: not any more.
    void watch(const std::string& server, const std::optional<Game>& game);
    /// Whether known() would say something else than the last time, because of a watch.
    bool drain() { return std::exchange(has_news_, false); }

    /// For l4d2ctl console: a connection that has not been used yet. The error says why there can be none.
    std::expected<Session, std::string> connect(const Game& game) const;
    /// The game has refused the password on such a connection.
    void note_refusal(const Game& game);

    static constexpr std::chrono::milliseconds longest_question{3000};

  private:
    struct Asking {
        Game game;
        std::uint64_t inode = 0;
        std::chrono::milliseconds asked{};
        std::optional<Session> session;  ///< nullopt: it could not be asked
        ObservedConsole::State failed = ObservedConsole::State::Silent;
        bool is_watch = false;
    };
    struct Watched {
        Game game;
        std::chrono::milliseconds due{};
    };

    void begin(const Game& game, bool is_watch);
    /// The inode of the socket on which the game listens.
    std::optional<std::uint64_t> listener(std::uint16_t port) const;
    std::optional<std::string> password(const Game& game) const;
    bool has_refused(const Game& game, std::uint64_t inode) const;
    void keep(const std::string& server, const KeptAnswer& answer);
    /// Kept by whichever process, or by this one if that is impossible.
    std::optional<KeptAnswer> latest(const std::string& server) const;
    std::optional<ObservedConsole> advance(Asking& asking) const;

    Paths paths_;
    std::optional<std::uint32_t> user_;
    std::filesystem::path sockets_;
    std::map<std::string, Asking> asking_;
    std::map<std::string, std::pair<Game, std::expected<Session, std::string>>> commands_;
    std::map<std::string, Watched> watched_;
    std::map<std::string, KeptAnswer> own_;  ///< what it heard itself
    bool has_news_ = false;
};

}  // namespace left4me::rcon
