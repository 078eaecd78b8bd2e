#include "wrong_answers.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "adapters/store/build_files.hpp"
#include "support/own_mounts.hpp"

namespace left4me {

namespace {

using namespace std::chrono_literals;

std::string head(std::size_t length, const std::string& headers = {}) {
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(length) + "\r\n" +
           headers + "\r\n";
}

/// `begin`, and then anything up to the size of the right one.
std::string as_large(std::string begin, const std::string& right) {
    begin.resize(right.size(), ' ');
    return begin;
}

WrongAnswer status(int code, const std::string& headers = {}, const std::string& said = {}) {
    const std::string name = "status " + std::to_string(code);
    return {name + headers,
            [=](HttpAnswer& answer, const std::string&) {
                answer.reply(code, "<html>sorry</html>", "Content-Type: text/html\r\n" + headers);
            },
            said.empty() ? name : said};
}

WrongAnswer redirect(const std::string& to, const std::string& said) {
    return {
        "a redirect to " + to,
        [=](HttpAnswer& answer, const std::string&) { answer.reply(302, "", "Location: " + to + "\r\n"); },
        said};
}

}  // namespace

std::vector<WrongAnswer> wrong_answers(const Said& said) {
    std::vector<WrongAnswer> answers;
    for (const int code : {400, 403, 404, 410, 429, 451, 500, 502, 503, 504}) answers.push_back(status(code));
    answers.push_back(status(429, "Retry-After: 7200\r\n", "asks to wait for 7200 s"));
    answers.push_back(status(503, "Retry-After: 7200\r\n", "asks to wait for 7200 s"));
    answers.push_back({"nothing", [](HttpAnswer&, const std::string&) {}, "https://"});
    answers.push_back({"no HTTP",
                       [](HttpAnswer& answer, const std::string& right) { (void)answer.send(right + right); },
                       "https://"});
    answers.push_back({"cut off",
                       [](HttpAnswer& answer, const std::string& right) {
                           (void)answer.send(head(right.size()) + right.substr(0, right.size() / 2));
                       },
                       "ended too early"});
    answers.push_back({"half of it",
                       [](HttpAnswer& answer, const std::string& right) {
                           answer.reply(200, right.substr(0, right.size() / 2));
                       },
                       said.half});
    if (!said.more.empty())
        answers.push_back({"more after the end",
                           [](HttpAnswer& answer, const std::string& right) {
                               answer.reply(200, right + std::string(100, 'x'));
                           },
                           said.more});
    answers.push_back(
        {"a length that no file has",
         [](HttpAnswer& answer, const std::string&) { (void)answer.send(head(99'999'999'999'999) + "x"); },
         "has more than"});
    answers.push_back({"a body without end",
                       [](HttpAnswer& answer, const std::string& right) {
                           (void)answer.send("HTTP/1.1 200 OK\r\n\r\n");
                           // Such that it looks like more of the same.
                           while (answer.send(right.empty() ? "x" : right)) {
                           }
                       },
                       said.endless});
    answers.push_back({"a trickle",
                       [](HttpAnswer& answer, const std::string& right) {
                           (void)answer.send(head(right.size()));
                           answer.slow_down(100ms);
                           for (const char byte : right) {
                               if (!answer.send({&byte, 1})) return;
                           }
                       },
                       "stalled"});
    answers.push_back({"a web page",
                       [](HttpAnswer& answer, const std::string& right) {
                           answer.reply(200, as_large("<html>log in</html>", right),
                                        "Content-Type: text/html; charset=utf-8\r\n");
                       },
                       said.page});
    answers.push_back({"a picture",
                       [](HttpAnswer& answer, const std::string& right) {
                           answer.reply(200, as_large("\xff\xd8\xff\xe0JFIF", right),
                                        "Content-Type: image/jpeg\r\n");
                       },
                       said.picture});
    for (const char* host : {"10.0.0.1", "169.254.169.254", "[::1]", "[fd00::1]", "[::ffff:10.0.0.1]"}) {
        answers.push_back(redirect(std::string("https://") + host + "/x",
                                   said.is_post ? "status 302" : "is not a public address"));
    }
    answers.push_back(
        redirect("http://127.0.0.1/x", said.is_post ? "status 302" : "it leads to something that is not"));
    answers.push_back(
        redirect("file:///etc/passwd", said.is_post ? "status 302" : "it leads to something that is not"));
    return answers;
}

Answering asks_for_a_moment(std::atomic<unsigned>& asked) {
    return [&asked](HttpAnswer& answer, const std::string& right) {
        if (asked++ == 0) return answer.reply(429, "later", "Retry-After: 1\r\n");
        answer.reply(200, right);
    };
}

Answering breaks_off(std::atomic<unsigned>& asked, bool other_part) {
    return [&asked, other_part](HttpAnswer& answer, const std::string& right) {
        const std::string size = std::to_string(right.size());
        const unsigned time = asked++;
        if (time == 0) {
            (void)answer.send("HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: " + size + "\r\n\r\n" +
                              right.substr(0, right.size() / 2));
        } else if (time == 1 && other_part) {
            (void)answer.send("HTTP/1.1 206 OK\r\nETag: \"1\"\r\nContent-Range: bytes 0-" +
                              std::to_string(right.size() - 1) + "/" + size + "\r\nContent-Length: " + size +
                              "\r\n\r\n" + right);
        } else {
            answer.reply(200, right, "ETag: \"1\"\r\n");
        }
    };
}

std::string build_in_haste(const Place& place, int build_directory, const std::string& steam_api) {
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        ::setenv("LEFT4ME_BUILD_STATE", place.paths.state.c_str(), 1);
        ::setenv("LEFT4ME_BUILD_CA", place.path("ca.pem").c_str(), 1);
        ::setenv("LEFT4ME_BUILD_STEAM_API", steam_api.c_str(), 1);
        ::setenv("LEFT4ME_BUILD_HASTE", "1", 1);
        const int log = ::open(place.path("log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
        ::dup2(log, STDERR_FILENO);
        ::execl(LEFT4ME_BUILD_PROGRAM, "left4me-build", "o", nullptr);
        ::_exit(127);
    }
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    REQUIRE(WIFEXITED(status));
    const BuildRecord record = store::read_record(build_directory);
    CHECK((WEXITSTATUS(status) == 0) == !record.failure);
    return record.failure ? record.failure->message : "";
}

OwnNames::OwnNames(const Place& place) : file_(place.path("hosts")) {
    place.file("hosts", "");
    usable_ =
        test::enter_own_mounts() && ::mount(file_.c_str(), "/etc/hosts", nullptr, MS_BIND, nullptr) == 0;
}

OwnNames::~OwnNames() {
    if (usable_) (void)::umount2("/etc/hosts", MNT_DETACH);
}

void OwnNames::lead_to(const std::string& address) const {
    std::ofstream(file_, std::ios::trunc) << address << " site.example\n";
}

std::string by_name(std::string url) {
    const std::string address = "127.0.0.1";
    return url.replace(url.find(address), address.size(), "site.example");
}

}  // namespace left4me
