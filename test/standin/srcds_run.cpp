// A stand-in for the game's srcds_run, which cannot be distributed. It takes the real arguments, reads the
// real files and supports the real protocols; and it misbehaves if told to. Besides +NAME VALUE and
// cfg/server.cfg it reads left4dead2/ems/standin.cfg, and re-reads it whenever it changes. See
// docs/test-hosts.md for the standin_ variables.
#include <poll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <initializer_list>
#include <utility>
#include <vector>

#include "server.hpp"

namespace standin {
namespace {

namespace fs = std::filesystem;

struct Arguments {
    std::string game = "left4dead2", address = "0.0.0.0";
    int port = 27015;
    int restart_delay = 10;
    bool strict_port = false, restart = true;
    std::vector<std::pair<std::string, std::string>> settings;  // +NAME VALUE
};

Arguments parse(const std::vector<std::string>& words) {
    Arguments parsed;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto& word = words[i];
        const bool has_value = i + 1 < words.size() && !words[i + 1].starts_with("+");
        const auto value = has_value ? words[i + 1] : std::string{};
        if (word == "-strictportbind") {
            parsed.strict_port = true;
        } else if (word == "-norestart") {
            parsed.restart = false;
        } else if (has_value && word == "-game") {
            parsed.game = value, ++i;
        } else if (has_value && (word == "-ip" || word == "+ip")) {
            parsed.address = value, ++i;
        } else if (has_value && (word == "-port" || word == "+hostport")) {
            parsed.port = std::atoi(value.c_str()), ++i;
        } else if (has_value && word == "-timeout") {
            parsed.restart_delay = std::atoi(value.c_str()), ++i;
        } else if (has_value && (word == "-maxplayers" || word == "-tickrate")) {
            parsed.settings.emplace_back(word.substr(1), value), ++i;
        } else if (has_value && word.starts_with("+")) {
            parsed.settings.emplace_back(word.substr(1), value), ++i;
        }
    }
    return parsed;
}

/// Aborts like a crashing game, but without a core file.
[[noreturn]] void crash(const char* why) {
    std::printf("%s\nSegmentation fault (core dumped)\n", why);
    std::fflush(stdout);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    std::signal(SIGSEGV, SIG_DFL);
    std::raise(SIGSEGV);
    std::abort();
}

/// The files that the game writes into its own tree: with an overlay, that is the server's upper directory.
void write_as_the_game_does(const fs::path& game) {
    std::error_code ignored;
    fs::create_directories(game / "logs", ignored);
    std::ofstream(game / "cfg/banned_user.cfg", std::ios::app);
    std::ofstream(game / "logs/console.log", std::ios::app)
        << "L " << std::time(nullptr) << ": Log file started\n";
}

/// Like SourceMod: writes data and logs, and compiles plugins at run time.
void behave_as_sourcemod_does(const fs::path& game) {
    const fs::path sourcemod = game / "addons/sourcemod";
    std::error_code ignored;
    for (const char* directory : {"logs", "data/sqlite"})
        fs::create_directories(sourcemod / directory, ignored);
    std::ofstream(sourcemod / "data/sqlite/clientprefs-sqlite.sq3", std::ios::app) << "a start\n";
    std::ofstream(sourcemod / "logs/L.log", std::ios::app) << "SourceMod log file started\n";
    std::ofstream(game / "cfg/banned_user.cfg", std::ios::app) << "banid 0 STEAM_1:0:1\n";
    const std::array<unsigned char, 6> code = {0xb8, 42, 0, 0, 0, 0xc3};  // mov eax, 42; ret
    void* memory =
        ::mmap(nullptr, code.size(), PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        std::printf("[SM] Could not compile plugins\n");
        return;
    }
    std::memcpy(memory, code.data(), code.size());
    std::printf("[SM] Compiled plugins: %d\n", reinterpret_cast<int (*)()>(memory)());
}

class Game {
  public:
    Game(Arguments arguments, fs::path root)
        : arguments_(std::move(arguments)),
          directory_(root / arguments_.game),
          console_(directory_),
          server_(console_) {}

    int run();

  private:
    void configure();
    bool open_port();
    int watch();
    void read_orders() { (void)console_.execute_file("../ems/standin.cfg"); }
    void after(const char* variable, void (*effect)(const char*), const char* why, int& timeout) const;
    bool stop_asked(int signals) const;
    void move_people();
    void call_the_roll() const;
    void note_kicked(const char* why);
    fs::path roll() const { return directory_ / "logs/standin.here"; }
    void serve_sessions(const std::vector<pollfd>& polled, std::size_t first);
    int loop(int signals, int orders);

    Arguments arguments_;
    fs::path directory_;
    Console console_;
    Server server_;
    Clock::time_point started_ = Clock::now();
};

void Game::configure() {
    console_.set("ip", arguments_.address);
    console_.set("hostport", std::to_string(arguments_.port));
    for (const auto& [name, value] : arguments_.settings) console_.set(name, value);
    read_orders();
    std::printf("%s", console_.execute_file(console_.text("servercfgfile", "server.cfg")).c_str());
    if (const auto extra = console_.text("exec"); !extra.empty())
        std::printf("%s", console_.execute_file(extra).c_str());
    // The command line wins, because the game applies it last.
    for (const auto& [name, value] : arguments_.settings) console_.set(name, value);
}

bool Game::open_port() {
    const int last = arguments_.strict_port ? arguments_.port : arguments_.port + 10;
    for (int port = arguments_.port; port <= last; ++port)
        if (server_.open(arguments_.address, port)) return true;
    std::printf("Couldn't allocate dedicated server IP port %d.\n", arguments_.port);
    return false;
}

/// Calls `effect` once the number of seconds in `variable` has passed, and until then shortens the poll's
/// timeout.
void Game::after(const char* variable, void (*effect)(const char*), const char* why, int& timeout) const {
    const int seconds = console_.number(variable, -1);
    if (seconds < 0) return;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(started_ + std::chrono::seconds(seconds) - Clock::now());
    if (left.count() <= 0) effect(why);
    timeout =
        timeout < 0 ? static_cast<int>(left.count()) : std::min(timeout, static_cast<int>(left.count()));
}

bool Game::stop_asked(int signals) const {
    signalfd_siginfo received{};
    if (::read(signals, &received, sizeof received) != sizeof received) return false;
    if (console_.number("standin_ignore_stop") == 0) return true;
    std::printf("standin: signal %u ignored, as told\n", received.ssi_signo);
    return false;
}

void Game::serve_sessions(const std::vector<pollfd>& polled, std::size_t first) {
    auto session = server_.sessions().begin();
    for (std::size_t i = first; i < polled.size(); ++i) {
        const bool over = polled[i].revents != 0 && !server_.serve(*session);
        session = over ? server_.sessions().erase(session) : std::next(session);
    }
}

void Game::move_people() {
    const int before = console_.humans();
    if (!console_.advance(Clock::now())) return;
    call_the_roll();
    if (console_.humans() == 0 && before != 0) std::printf("Server is hibernating\n");
    if (console_.humans() != 0 && before == 0) std::printf("Server waking up from hibernation\n");
}

/// So that whoever is there is known even after a SIGKILL.
void Game::call_the_roll() const {
    std::ofstream file(roll());
    for (const auto& line : console_.people().roll(Clock::now())) file << line << "\n";
}

/// Prints who was there when the game ended.
void Game::note_kicked(const char* why) {
    std::ifstream file(roll());
    for (std::string line; std::getline(file, line);)
        std::printf("standin: kicked by %s: %s\n", why, line.c_str());
    std::ofstream(roll(), std::ios::trunc);
}

/// Milliseconds until the first of them, for poll().
int timeout_until(std::initializer_list<std::optional<Clock::time_point>> moments, int longest) {
    for (const auto& moment : moments) {
        if (!moment) continue;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*moment - Clock::now()).count();
        const int bounded = static_cast<int>(std::clamp<long>(left, 0, 3'600'000));
        longest = longest < 0 ? bounded : std::min(longest, bounded);
    }
    return longest;
}

int Game::loop(int signals, int orders) {
    while (!console_.quit_asked()) {
        move_people();
        server_.queries().send_due(Clock::now());
        int timeout = timeout_until({console_.people().next(), server_.queries().next()}, -1);
        after("standin_crash_after", crash, "standin: crashing, as told", timeout);
        after("standin_exit_after", [](const char*) { std::exit(0); }, "", timeout);
        std::fflush(stdout);
        std::vector<pollfd> polled{{signals, POLLIN, 0}, {orders, POLLIN, 0}};
        if (console_.number("standin_hang") == 0) {
            polled.push_back({server_.queries().socket(), POLLIN, 0});
            polled.push_back({server_.listener(), POLLIN, 0});
            for (const auto& session : server_.sessions())
                polled.push_back({session.socket.get(), POLLIN, 0});
        }
        if (::poll(polled.data(), polled.size(), timeout) <= 0) continue;
        if (polled[0].revents != 0 && stop_asked(signals)) break;
        if (polled[1].revents != 0) {
            std::array<char, 4096> events{};
            while (::read(orders, events.data(), events.size()) > 0) {
            }
            read_orders();
        }
        if (polled.size() < 4) continue;
        if (polled[2].revents != 0) server_.queries().answer();
        serve_sessions(polled, 4);
        if (polled[3].revents != 0) server_.accept_console();
    }
    return 0;
}

/// Notices changes in left4dead2/ems/, so that an idle server never wakes up to check. Games that follow a
/// script take no orders: a user may have 128 such watches, on all test hosts together.
int Game::watch() {
    for (const auto& [name, value] : arguments_.settings)
        if (name == "standin_script") return -1;
    const int orders = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    std::error_code ignored;
    fs::create_directories(directory_ / "ems", ignored);
    if (orders < 0) std::printf("standin: takes no orders: %s\n", std::strerror(errno));
    ::inotify_add_watch(orders, (directory_ / "ems").c_str(), IN_CLOSE_WRITE | IN_MOVED_TO);
    return orders;
}

int Game::run() {
    sigset_t stopping{};
    sigemptyset(&stopping);
    for (const int number : {SIGINT, SIGTERM}) sigaddset(&stopping, number);
    ::sigprocmask(SIG_BLOCK, &stopping, nullptr);
    const Descriptor signals(::signalfd(-1, &stopping, SFD_CLOEXEC));
    const Descriptor orders(watch());

    std::printf("Console initialized.\nGame.dll loaded for \"Left 4 Dead 2\"\n");
    configure();
    if (console_.number("standin_crash") != 0) crash("standin: crashing at start, as told");
    if (const int seconds = console_.number("standin_slow_start"); seconds > 0)
        ::sleep(static_cast<unsigned>(seconds));
    if (!open_port()) return 1;
    write_as_the_game_does(directory_);
    if (console_.number("standin_sourcemod") != 0) behave_as_sourcemod_does(directory_);
    std::printf("Network: IP %s, mode MP, dedicated Yes, ports %d SV / %s CL\n", arguments_.address.c_str(),
                server_.port(), console_.text("clientport", "27005").c_str());
    note_kicked("what ended the game before");
    (void)console_.advance(Clock::now());
    call_the_roll();
    if (console_.humans() == 0) std::printf("Server is hibernating\n");
    const int result = loop(signals.get(), orders.get());
    call_the_roll();
    note_kicked("a stop");
    std::printf("standin: %lu queries in %.1f s\n", console_.queries(),
                std::chrono::duration<double>(Clock::now() - started_).count());
    std::printf("Server shutting down\n");
    return result;
}

/// The real srcds_run is a loop around the game, unless -norestart is given.
int supervise(const Arguments& arguments, const fs::path& root) {
    for (;;) {
        std::fflush(stdout);
        const auto child = ::fork();
        if (child == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            std::exit(Game(arguments, root).run());
        }
        std::signal(SIGINT, SIG_IGN);
        int status = 0;
        if (::waitpid(child, &status, 0) != child || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
            return 0;
        std::printf("Server restart in %d seconds\n", arguments.restart_delay);
        std::fflush(stdout);
        ::sleep(static_cast<unsigned>(arguments.restart_delay));
    }
}

}  // namespace
}  // namespace standin

int main(int count, char** values) {
    const std::vector<std::string> words(values + 1, values + count);
    const auto arguments = standin::parse(words);
    const auto root = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    if (!std::filesystem::is_directory(root / arguments.game)) {
        std::printf("Unable to find the game directory %s\n", (root / arguments.game).c_str());
        return 1;
    }
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    if (arguments.restart) return standin::supervise(arguments, root);
    return standin::Game(arguments, root).run();
}
