#include "l4d2ctl/line_editor.hpp"

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "support/catch.hpp"

using namespace left4me::ctl;

namespace {

/// A program on a terminal that prints each line as `[LINE]`, until the end.
class Typist {
  public:
    Typist() {
        pid_ = ::forkpty(&terminal_, nullptr, nullptr, nullptr);
        if (pid_ != 0) return;
        ::setenv("TERM", "xterm", 1);
        LineEditor editor("comp1> ", [](const std::string& beginning) {
            return listed_names("status : cmd\nstats : cmd\nstandin_players : 3\nsv_alltalk : 0\n",
                                beginning);
        });
        while (const auto line = editor.read()) {
            std::printf("[%s]\n", line->c_str());
            (void)std::fflush(stdout);
        }
        ::_exit(7);
    }
    ~Typist() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        ::close(terminal_);
    }
    Typist(const Typist&) = delete;
    Typist& operator=(const Typist&) = delete;

    void type(const std::string& keys) const {
        REQUIRE(::write(terminal_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
    }
    /// Whether it appears after what was awaited before.
    bool shows(const std::string& text) {
        for (;;) {
            if (const auto at = screen_.find(text); at != std::string::npos) {
                screen_.erase(0, at + text.size());
                return true;
            }
            pollfd polled{terminal_, POLLIN, 0};
            std::array<char, 1000> buffer{};
            if (::poll(&polled, 1, 15'000) != 1) return false;
            const auto got = ::read(terminal_, buffer.data(), buffer.size());
            if (got <= 0) return false;
            screen_.append(buffer.data(), static_cast<std::size_t>(got));
        }
    }
    int exit_code() {
        for (int i = 0; i < 3000; ++i) {
            int status = 0;
            if (::waitpid(pid_, &status, WNOHANG) == pid_) {
                pid_ = -1;
                return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
            }
            ::usleep(10'000);
        }
        return -1;
    }

  private:
    int terminal_ = -1;
    pid_t pid_ = -1;
    std::string screen_;
};

}  // namespace

TEST_CASE("lines on a terminal can be edited, recalled and completed, until Ctrl-D") {
    Typist typist;
    REQUIRE(typist.shows("comp1> "));
    typist.type("sttus");
    typist.type(
        "\x02\x02\x02"
        "a\n");  // back by three, and the missing letter
    REQUIRE(typist.shows("[status]"));
    REQUIRE(typist.shows("comp1> "));
    typist.type("sv\t1\n");
    REQUIRE(typist.shows("[sv_alltalk 1]"));
    REQUIRE(typist.shows("comp1> "));
    typist.type("s\t");  // has nothing in common but what is there
    REQUIRE(typist.shows("status"));
    REQUIRE(typist.shows("sv_alltalk"));
    REQUIRE(typist.shows("comp1> "));
    typist.type("ta\t");
    typist.type("\x15\x10\x10\n");  // clears the line; two lines back
    REQUIRE(typist.shows("[status]"));
    REQUIRE(typist.shows("comp1> "));
    typist.type("\x04");
    CHECK(typist.exit_code() == 7);
}

TEST_CASE("only names are taken from what a game lists") {
    const std::string answer =
        "cvar list\n--------------\nsv_a    : 1 : : \nsv_b\x1b[0m : 2\nSv_c : 3\nsv_d\n  2 total\n";
    CHECK(listed_names(answer, "sv_") == std::vector<std::string>{"sv_a", "sv_d"});
    CHECK(listed_names("", "sv_").empty());
    CHECK(listed_names(answer, "x").empty());
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "sv_" + std::to_string(i) + " : 0\n";
    CHECK(listed_names(many, "sv_").size() == 200);
}

TEST_CASE("what words have in common is completed") {
    CHECK(common_beginning({"status", "stats", "standin"}) == "sta");
    CHECK(common_beginning({"status"}) == "status");
    CHECK(common_beginning({"status", "say"}) == "s");
    CHECK(common_beginning({}).empty());
}
