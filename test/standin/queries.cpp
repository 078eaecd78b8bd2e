#include "queries.hpp"

#include <sys/socket.h>

#include <array>
#include <chrono>
#include <utility>
#include <vector>

#include "packets.hpp"

namespace standin {
namespace {

using std::chrono::milliseconds;

/// A challenge that the client can only know if our packets reach its address, which is its only purpose. The
/// same for all kinds of queries: clients use one for the next.
std::string challenge_for(const sockaddr_in& asker) {
    return little_endian((ntohl(asker.sin_addr.s_addr) * 2654435761U) ^ (asker.sin_port * 40503U) ^
                         static_cast<std::uint32_t>(::getpid()));
}

sockaddr* generic(sockaddr_in& address) { return reinterpret_cast<sockaddr*>(&address); }

constexpr std::size_t split_size = 1248;
constexpr std::size_t most_waiting = 1000;

/// Besides them, RULES shows what was set. Without the mods, a server's answer fits into one datagram.
constexpr std::array<std::pair<const char*, const char*>, 12> usual_rules{{
    {"mp_gamemode", "coop"},
    {"mp_teamplay", "0"},
    {"sv_allow_wait_command", "1"},
    {"sv_alltalk", "0"},
    {"sv_cheats", "0"},
    {"sv_consistency", "1"},
    {"sv_contact", ""},
    {"sv_gravity", "800"},
    {"sv_pausable", "0"},
    {"sv_steamgroup", "0"},
    {"sv_voiceenable", "1"},
    {"z_difficulty", "Normal"},
}};

bool is_secret(const std::string& variable) {
    return variable.ends_with("password") || variable.starts_with("standin_");
}

}  // namespace

bool RateLimit::Count::add(int limit, int window, Clock::time_point now) {
    if (queries == 0 || now - since > std::chrono::seconds(window)) *this = {.since = now, .queries = 0};
    ++queries;
    return limit <= 0 || queries <= static_cast<long>(limit) * window;
}

bool RateLimit::allows(std::uint32_t address, const Limits& limits, Clock::time_point now) {
    return each_[address].add(limits.each, limits.window, now) && all_.add(limits.all, limits.window, now);
}

std::string Queries::info() const {
    const auto humans = console_.humans();
    Info info;
    info.name = console_.text("hostname", "Left 4 Dead 2");
    info.map = console_.text("map", "c1m1_hotel");
    info.folder = "left4dead2";
    info.game = console_.text("sv_gametypes", "Left 4 Dead 2");
    info.version = "2.2.4.3";
    info.players = static_cast<std::uint8_t>(console_.number("standin_lie", humans));
    info.bots = static_cast<std::uint8_t>(console_.number("standin_bots"));
    info.max_players = static_cast<std::uint8_t>(console_.number("maxplayers", 4));
    info.password = !console_.text("sv_password").empty();
    info.port = static_cast<std::uint16_t>(port_);
    info.keywords = console_.text("mp_gamemode", "coop");
    if (info.players == 0) info.keywords += ",empty";
    if (const auto tags = console_.text("sv_tags"); !tags.empty()) info.keywords += "," + tags;
    info.keywords += ",secure";
    return encode(info);
}

/// Those who are connecting are not in the list, or have no name yet.
std::string Queries::players() const {
    const auto now = Clock::now();
    std::vector<ListedPlayer> listed;
    bool is_shown = false;
    for (const Person& one : console_.people().here()) {
        const float here = std::chrono::duration<float>(now - one.came).count();
        if (one.is_playing(now))
            listed.push_back({one.name, one.score, here});
        else if (std::exchange(is_shown, !is_shown))
            listed.push_back({"", 0, here});
    }
    for (int i = 0; i < console_.number("standin_bots"); ++i) listed.push_back({"Coach", 0, 60.0F});
    return encode(listed);
}

std::string Queries::rules() const {
    std::map<std::string, std::string> all(usual_rules.begin(), usual_rules.end());
    for (const auto& [name, value] : console_.variables())
        if (!is_secret(name)) all.insert_or_assign(name, value);
    return encode(std::vector<std::pair<std::string, std::string>>(all.begin(), all.end()));
}

/// Without the challenge, the challenge. Some clients send four bytes more.
std::optional<std::string> Queries::answer_to(std::string_view query, const sockaddr_in& asker) {
    const std::string challenge = challenge_for(asker);
    const auto is = [&](std::string_view request) { return query.starts_with(request); };
    const auto has_challenge = [&](std::string_view request) {
        return query.substr(request.size()).starts_with(challenge);
    };
    const auto answer = [&](std::string_view request, std::string (Queries::*write)() const) {
        return has_challenge(request) ? (this->*write)() : std::string(challenge_header) + challenge;
    };
    if (is(info_request)) return answer(info_request, &Queries::info);
    if (is(players_request) && console_.text("standin_silent") != "players")
        return answer(players_request, &Queries::players);
    if (is(rules_request)) return answer(rules_request, &Queries::rules);
    return std::nullopt;
}

bool Queries::is_lost() { return static_cast<int>(random_() % 100) < console_.number("standin_loss"); }

void Queries::answer() {
    std::array<char, 4200> buffer{};
    sockaddr_in asker{};
    socklen_t length = sizeof asker;
    const auto got = ::recvfrom(socket_.get(), buffer.data(), buffer.size(), 0, generic(asker), &length);
    if (got < 0 || is_lost()) return;
    const auto now = Clock::now();
    const RateLimit::Limits limits{.each = console_.number("sv_max_queries_sec"),
                                   .all = console_.number("sv_max_queries_sec_global"),
                                   .window = console_.number("sv_max_queries_window", 30)};
    if (!limit_.allows(asker.sin_addr.s_addr, limits, now)) {
        if (!console_.was_limited()) std::printf("standin: more queries than sv_max_queries_sec\n");
        return;
    }
    console_.count_query();
    const auto reply = answer_to({buffer.data(), static_cast<std::size_t>(got)}, asker);
    if (!reply) return;
    const int sleepy = console_.humans() == 0 ? console_.number("standin_hibernation") : 0;
    const int longest = console_.number("standin_delay") + sleepy;
    forge(asker, *reply);
    const std::string how = console_.text("standin_answers");
    const std::size_t size =
        how.empty() ? split_size : static_cast<std::size_t>(console_.number("standin_split", 100));
    for (const auto& part : datagrams(*reply, ++answers_, size, how == "bzip2")) {
        if (is_lost() || waiting_.size() == most_waiting) continue;
        const auto delay =
            longest > 0 ? milliseconds(random_() % static_cast<unsigned>(longest)) : milliseconds(0);
        waiting_.emplace(now + delay, std::pair(asker, part));
    }
    send_due(now);
}

/// What somebody else sends who wants to be taken for the game, and what broke on its way.
void Queries::forge(const sockaddr_in& asker, const std::string& answer) {
    const int count = console_.number("standin_noise");
    if (count > 0 && forger_.get() < 0) forger_ = Descriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in to = asker;
    const auto send = [&](int from, const std::string& bytes) {
        (void)::sendto(from, bytes.data(), bytes.size(), MSG_DONTWAIT, generic(to), sizeof to);
    };
    for (int i = 0; i < count; ++i) {
        Info lie;
        lie.keywords = "empty";
        lie.max_players = 8;
        send(forger_.get(), i % 2 == 0 ? encode(lie) : encode(std::vector<ListedPlayer>()));
        std::string broken = answer.substr(0, 4 + random_() % answer.size());
        send(socket_.get(),
             broken.size() < answer.size() ? broken : std::string("\xFF\xFF\xFF\xFF\x49\x11", 6));
    }
}

void Queries::send_due(Clock::time_point now) {
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
        auto& [to, bytes] = waiting_.begin()->second;
        (void)::sendto(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT, generic(to), sizeof to);
        waiting_.erase(waiting_.begin());
    }
}

std::optional<Clock::time_point> Queries::next() const {
    if (waiting_.empty()) return std::nullopt;
    return waiting_.begin()->first;
}

}  // namespace standin
