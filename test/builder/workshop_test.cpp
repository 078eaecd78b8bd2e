// Overlays from the Steam workshop, fetched by left4me-build from a server that answers as Steam's web API
// does.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <set>
#include <thread>

#include "../adapters/store/place.hpp"
#include "adapters/store/artifact_info.hpp"
#include "adapters/store/build_files.hpp"
#include "adapters/store/tree.hpp"
#include "builder/workshop/vpk.hpp"
#include "check_run.hpp"
#include "kill_build.hpp"
#include "other_host.hpp"
#include "reconciler/digest.hpp"
#include "reconciler/pinning.hpp"
#include "site/https_server.hpp"
#include "wrong_answers.hpp"

using namespace left4me;
using namespace left4me::builder;
using namespace std::chrono_literals;
using Json = nlohmann::json;

namespace {

using Names = std::vector<std::string>;

std::string random_bytes(std::size_t count, unsigned seed) {
    std::mt19937_64 random(seed);
    std::string bytes;
    while (bytes.size() < count) bytes += static_cast<char>(random() & 0xffU);
    return bytes;
}

/// Items are fetched at the same time: in any order.
Names sorted(Names names) {
    std::sort(names.begin(), names.end());
    return names;
}

bool says(const std::string& message, std::string_view text) {
    UNSCOPED_INFO(message);
    return message.contains(text);
}

std::string little(std::uint64_t value, unsigned bytes) {
    std::string text;
    for (unsigned i = 0; i < bytes; ++i) text += static_cast<char>((value >> (8 * i)) & 0xffU);
    return text;
}

/// The entry of one file whose data are behind the tree.
std::string entry(std::uint64_t offset, std::uint64_t length, unsigned archive = 0x7fff,
                  const std::string& preload = {}) {
    return little(0, 4) + little(preload.size(), 2) + little(archive, 2) + little(offset, 4) +
           little(length, 4) + little(0xffff, 2) + preload;
}

std::string tree_with(const std::string& one_entry) {
    const std::string nul(1, '\0');
    return "txt" + nul + "scripts" + nul + "mission" + nul + one_entry + nul + nul + nul;
}

std::string vpk_1(const std::string& tree, const std::string& data) {
    return little(0x55aa1234, 4) + little(1, 4) + little(tree.size(), 4) + tree + data;
}

std::string vpk_2(const std::string& tree, const std::string& data) {
    return little(0x55aa1234, 4) + little(2, 4) + little(tree.size(), 4) + little(data.size(), 4) +
           little(0, 4) + little(16, 4) + little(0, 4) + tree + data + std::string(16, 'm');
}

std::string vpk(const std::string& data) { return vpk_1(tree_with(entry(0, data.size())), data); }

/// Answers as Steam does, and publishes the items' files.
class Steam {
  public:
    using Send = std::function<void(HttpAnswer& answer, const std::string& right)>;

    explicit Steam(HttpsServer::Certificate certificate = HttpsServer::Certificate::Valid)
        : server([this](const HttpRequest& request, HttpAnswer& answer) { serve(request, answer); },
                 certificate) {}

    /// What is sent instead of the file of an item ("/ugc/9"), or of an answer about "items" or
    /// "collections"; nullptr: nothing else.
    void spoil(const std::string& what, Send send) {
        const std::lock_guard lock(mutex_);
        spoiled_[what] = std::move(send);
    }
    void item(const std::string& id, const std::string& content, const std::string& updated = "1700000000") {
        const std::lock_guard lock(mutex_);
        files_["/ugc/" + id] = content;
        items_[id] = {{"publishedfileid", id},
                      {"result", 1},
                      {"creator_app_id", 550},
                      {"consumer_app_id", 550},
                      {"filename", "myl4d2addons/a b.vpk"},
                      {"file_size", std::to_string(content.size())},
                      {"file_url", server.url("/ugc/" + id)},
                      {"hcontent_file", "1234"},
                      {"preview_url", server.url("/preview/" + id)},
                      {"title", "Title of " + id},
                      {"time_updated", std::stoll(updated)},
                      {"banned", 0}};
    }
    void change(const std::string& id, const std::string& field, const Json& value) {
        const std::lock_guard lock(mutex_);
        items_[id][field] = value;
    }
    void file(const std::string& id, const std::string& content) {
        const std::lock_guard lock(mutex_);
        files_["/ugc/" + id] = content;
    }
    /// `collections`: those among the children.
    void collection(const std::string& id, const Names& children, const Names& collections = {}) {
        Json list = Json::array();
        for (const std::string& child : children)
            list.push_back({{"publishedfileid", child}, {"sortorder", 1}, {"filetype", 0}});
        for (const std::string& child : collections)
            list.push_back({{"publishedfileid", child}, {"sortorder", 1}, {"filetype", 2}});
        const std::lock_guard lock(mutex_);
        collections_[id] = {{"publishedfileid", id}, {"result", 1}, {"children", list}};
    }
    /// Whatever is asked of the API.
    void answer_always(int status, const std::string& body) {
        const std::lock_guard lock(mutex_);
        always_ = {status, body};
    }
    void slow_down(std::chrono::milliseconds pause) {
        const std::lock_guard lock(mutex_);
        pause_ = pause;
    }
    /// Before each answer.
    void hold(std::chrono::milliseconds time) {
        const std::lock_guard lock(mutex_);
        held_ = time;
    }
    /// Ids of files since the last call, "7 100-" if the client had 100 bytes; "items" and "collections" for
    /// questions.
    Names asked() {
        const std::lock_guard lock(mutex_);
        return std::exchange(asked_, {});
    }

    /// The most files that were ever asked for at the same time.
    unsigned most_at_once() {
        const std::lock_guard lock(mutex_);
        return most_at_once_;
    }
    /// The next answer about a file is that it must be asked for later.
    void be_busy(int status, const std::string& seconds) {
        const std::lock_guard lock(mutex_);
        busy_ = {status, "Retry-After: " + seconds + "\r\n"};
    }
    /// How many files were asked for between these times after that.
    auto asked_after_busy(std::chrono::milliseconds from, std::chrono::milliseconds until) {
        const std::lock_guard lock(mutex_);
        return std::count_if(asked_at_.begin(), asked_at_.end(),
                             [&](std::chrono::steady_clock::time_point at) {
                                 return at - busy_since_ > from && at - busy_since_ < until;
                             });
    }

  private:
    /// The ids in a form.
    static Names ids(const std::string& form) {
        Names result;
        const std::string before = "%5D=";
        for (std::size_t at = form.find(before); at != std::string::npos; at = form.find(before, at + 1)) {
            const std::size_t begin = at + before.size();
            result.push_back(form.substr(begin, form.find('&', begin) - begin));
        }
        return result;
    }

    void serve(const HttpRequest& request, HttpAnswer& answer) {
        std::unique_lock lock(mutex_);
        if (request.path.starts_with("/ugc/")) {
            std::string asked = request.path.substr(5);
            if (const auto range = request.headers.find("range"); range != request.headers.end())
                asked += " " + range->second.substr(range->second.find('=') + 1);
            asked_.push_back(asked);
            asked_at_.push_back(std::chrono::steady_clock::now());
            if (busy_) {
                busy_since_ = asked_at_.back();
                const auto [status, headers] = *std::exchange(busy_, std::nullopt);
                return answer.reply(status, "later", headers);
            }
            const auto file = files_.find(request.path);
            if (file == files_.end()) return answer.reply(404, "no");
            const std::string content = file->second;
            if (const auto spoiled = spoiled_.find(request.path);
                spoiled != spoiled_.end() && spoiled->second) {
                const Send send = spoiled->second;
                lock.unlock();
                return send(answer, content);
            }
            answer.slow_down(pause_);
            most_at_once_ = std::max(most_at_once_, ++at_once_);
            const auto held = held_;
            lock.unlock();
            // Not counted while it is sent: the client may ask for the next one before this thread counts
            // down.
            std::this_thread::sleep_for(held);
            lock.lock();
            --at_once_;
            lock.unlock();
            answer.file(request, content, "\"" + std::to_string(std::hash<std::string>()(content)) + "\"");
            return;
        }
        const bool items = request.path == "/ISteamRemoteStorage/GetPublishedFileDetails/v1/";
        const bool collections = request.path == "/ISteamRemoteStorage/GetCollectionDetails/v1/";
        if (!items && !collections) return answer.reply(404, "no");
        asked_.emplace_back(items ? "items" : "collections");
        if (always_) return answer.reply(always_->first, always_->second);
        const Names wanted = ids(request.body);
        const std::string count =
            (items ? "itemcount=" : "collectioncount=") + std::to_string(wanted.size()) + "&";
        if (!request.body.starts_with(count) ||
            request.headers.at("content-type") != "application/x-www-form-urlencoded")
            return answer.reply(400, "what?");
        Json list = Json::array();
        const auto& known = items ? items_ : collections_;
        for (const std::string& id : wanted) {
            const auto found = known.find(id);
            list.push_back(found != known.end() ? found->second
                                                : Json{{"publishedfileid", id}, {"result", 9}});
        }
        const Json response = {{"result", 1},
                               {"resultcount", list.size()},
                               {items ? "publishedfiledetails" : "collectiondetails", list}};
        const std::string right = Json{{"response", response}}.dump();
        const auto spoiled = spoiled_.find(items ? "items" : "collections");
        const Send send = spoiled == spoiled_.end() ? nullptr : spoiled->second;
        lock.unlock();
        if (send) return send(answer, right);
        answer.reply(200, right, "Content-Type: application/json\r\n");
    }

    std::mutex mutex_;
    std::map<std::string, Json> items_;
    std::map<std::string, Json> collections_;
    std::map<std::string, std::string> files_;
    std::map<std::string, Send> spoiled_;
    Names asked_;
    std::optional<std::pair<int, std::string>> always_;
    std::chrono::milliseconds pause_{};
    std::chrono::milliseconds held_{};
    unsigned at_once_ = 0;
    unsigned most_at_once_ = 0;
    std::optional<std::pair<int, std::string>> busy_;
    std::chrono::steady_clock::time_point busy_since_;
    std::vector<std::chrono::steady_clock::time_point> asked_at_;

  public:
    // The last member: its threads use the others.
    HttpsServer server;
};

/// Runs left4me-build for the overlay `o`.
class WorkshopSite {
  public:
    /// `size`: of a disk of its own; empty: none.
    explicit WorkshopSite(const std::string& size = {}) {
        place.directory("overlays/o");
        if (!size.empty()) disk.emplace(place, size);
        place.file("ca.pem", steam.server.certificate());
        const Fd overlay(::open(place.path("overlays/o").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        auto made = store::make_build_directory(overlay.get());
        REQUIRE(made);
        directory_ = std::move(*made);
        source.private_networks = {"127.0.0.0/8"};
    }

    pid_t start() const {
        REQUIRE(store::write_request(directory_.get(), source));
        REQUIRE(store::read_request(directory_.get()) == OverlaySource(source));
        const std::string api = steam.server.url("");
        const pid_t pid = ::fork();
        REQUIRE(pid >= 0);
        if (pid == 0) {
            ::setenv("LEFT4ME_BUILD_STATE", place.paths.state.c_str(), 1);
            ::setenv("LEFT4ME_BUILD_CA", place.path("ca.pem").c_str(), 1);
            ::setenv("LEFT4ME_BUILD_STEAM_API", api.c_str(), 1);
            const int log = ::open(place.path("log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
            ::dup2(log, STDERR_FILENO);
            if (elsewhere) be_another_host();
            ::execl(LEFT4ME_BUILD_PROGRAM, "left4me-build", "o", nullptr);
            ::_exit(127);
        }
        return pid;
    }

    /// Empty: it has built an artifact; else why not.
    std::string run() const {
        int status = 0;
        const pid_t pid = start();
        REQUIRE(::waitpid(pid, &status, 0) == pid);
        REQUIRE(WIFEXITED(status));
        const BuildRecord after = record();
        CHECK((WEXITSTATUS(status) == 0) == !after.failure);
        return after.failure ? after.failure->message : "";
    }

    /// The same, with little patience; `api`: of Steam's web API.
    std::string run_in_haste(const std::string& api) const {
        REQUIRE(store::write_request(directory_.get(), source));
        return build_in_haste(place, directory_.get(), api);
    }
    std::string run_in_haste() const { return run_in_haste(steam.server.url("")); }

    store::Upstream check() const {
        return run_check(directory_.get(), source, [this] { return start(); });
    }
    WorkshopPin pin() const { return std::get<WorkshopPin>(store::read_built_pin(directory_.get()).value()); }

    BuildRecord record() const { return store::read_record(directory_.get()); }
    std::string artifact() const { return record().artifact.value_or(BuiltArtifact{"none", ""}).digest; }
    std::string in_artifact(const std::string& id) const {
        return "overlays/o/" + artifact() + "/left4dead2/addons/" + id + ".vpk";
    }
    Names names() const { return place.names("overlays/o/" + artifact() + "/left4dead2/addons"); }

    Steam steam;
    Place place;
    std::optional<OwnDisk> disk;
    WorkshopSource source;
    bool elsewhere = false;  ///< on another host

  private:
    Fd directory_;
};

/// Empty: it is a VPK; else why not.
std::string vpk_error(const std::string& content) {
    const Place place;
    place.file("a.vpk", content);
    const Fd file(::open(place.path("a.vpk").c_str(), O_RDONLY | O_CLOEXEC));
    const auto checked = check_vpk(file.get());
    return checked ? "" : checked.error().message;
}

}  // namespace

TEST_CASE("a VPK is checked before it is used", "[workshop]") {
    const std::string data = random_bytes(1000, 1);
    const std::string tree = tree_with(entry(0, 1000));
    CHECK(vpk_error(vpk_1(tree, data)) == "");
    CHECK(vpk_error(vpk_2(tree, data)) == "");
    CHECK(vpk_error(vpk_1(tree_with(entry(0, 0, 0x7fff, "all of it")), "")) == "");
    CHECK(vpk_error(vpk_1(tree_with(entry(0, 0, 0)), "")) == "");
    CHECK(says(vpk_error(""), "it is no VPK: it begins with nothing"));
    CHECK(says(vpk_error("\xff\xd8\xff\xe0" + data), "it is no VPK: it begins with ffd8ffe0"));
    CHECK(says(vpk_error("<html>" + data), "it is no VPK"));
    CHECK(says(vpk_error(little(0x55aa1234, 4) + little(3, 4) + little(0, 4)), "version 3"));
    CHECK(says(vpk_error(little(0x55aa1234, 4)), "it is no VPK"));
    const std::string whole_1 = vpk_1(tree, data);
    const std::string whole_2 = vpk_2(tree, data);
    for (const std::size_t bytes : {std::size_t{13}, tree.size(), whole_1.size() - 1})
        CHECK(says(vpk_error(whole_1.substr(0, bytes)), "cut off"));
    for (const std::size_t bytes : {std::size_t{13}, tree.size(), whole_2.size() - 1})
        CHECK(says(vpk_error(whole_2.substr(0, bytes)), "cut off"));
    CHECK(says(vpk_error(vpk_1(tree_with(entry(1, 1000)), data)), "cut off"));
    CHECK(says(vpk_error(vpk_2(tree_with(entry(1, 1000)), data)), "cut off"));
    CHECK(says(vpk_error(vpk_1(tree_with(entry(0xffffffff, 0xffffffff)), data)), "cut off"));
    CHECK(says(vpk_error(vpk_1(tree_with(entry(0, 1000, 3)), data)), "in other files"));
    CHECK(says(vpk_error(vpk_1(std::string(1, '\0'), data)), "without any file"));
    CHECK(says(vpk_error(vpk_1(tree.substr(0, tree.size() - 1), data)), "damaged"));
    CHECK(says(vpk_error(vpk_1("", data)), "damaged"));
    std::string preload = entry(0, 1000);
    preload[4] = '\xff';
    CHECK(says(vpk_error(vpk_1(tree_with(preload), data)), "damaged"));
    // Whatever else is changed, it is looked at without harm.
    std::mt19937 random(20261129);
    for (int round = 0; round < 200; ++round) {
        std::string changed = whole_2;
        for (int i = 0; i < 3; ++i)
            changed[random() % (28 + tree.size())] = static_cast<char>(random() & 0xffU);
        (void)vpk_error(changed);
    }
}

TEST_CASE(
    "items and the items of nested collections become add-ons, fetched again only when they are updated",
    "[workshop]") {
    WorkshopSite site;
    Steam& steam = site.steam;
    const std::string one = vpk(random_bytes(200'000, 1));
    steam.item("11", one);
    steam.item("2", vpk("two"));
    steam.item("33", vpk("three"));
    steam.item("4", vpk("four"));
    steam.collection("100", {"2", "33"}, {"101"});
    steam.collection("101", {"4", "2"}, {"100", "101", "102"});  // a cycle
    site.source.items = {"11", "2"};
    site.source.collections = {"100"};
    site.source.exclude = {"102"};
    REQUIRE(site.run() == "");
    CHECK(sorted(steam.asked()) == Names{"11", "2", "33", "4", "collections", "collections", "items"});
    CHECK(site.names() == Names{"11.vpk", "2.vpk", "33.vpk", "4.vpk"});
    CHECK(site.place.read(site.in_artifact("11")) == one);
    CHECK(site.place.mode(site.in_artifact("11")) == 0664);
    CHECK(site.place.names("overlays/o/.build") == Names{"pin", "record", "request", "versions"});
    const std::string first = site.artifact();
    const Fd tree(::open(site.place.path("overlays/o/" + first).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    CHECK(store::digest_tree(tree.get(), store::scan_tree(tree.get()).value()) == first);

    REQUIRE(site.run() == "");
    CHECK(steam.asked() == Names{"collections", "collections", "items"});
    CHECK(site.artifact() == first);

    // An update of the same size; one item goes, another one comes.
    steam.item("2", vpk("TWO"), "1700000001");
    steam.item("5", vpk("five"));
    site.source.items = {"5", "2"};
    REQUIRE(site.run() == "");
    CHECK(sorted(steam.asked()) == Names{"2", "5", "collections", "collections", "items"});
    CHECK(site.names() == Names{"2.vpk", "33.vpk", "4.vpk", "5.vpk"});
    CHECK(site.place.read(site.in_artifact("2")) == vpk("TWO"));
    CHECK(site.place.read("overlays/o/" + first + "/left4dead2/addons/2.vpk") == vpk("two"));

    // A file of the last artifact that was damaged is not used.
    site.place.file(site.in_artifact("5"), vpk("FIVE"));
    REQUIRE(site.run() == "");
    CHECK(steam.asked() == Names{"collections", "collections", "items", "5"});
}

TEST_CASE("what an artifact was built from is known, and a check asks upstream without building",
          "[workshop]") {
    WorkshopSite site;
    Steam& steam = site.steam;
    const std::string zeros = vpk(std::string(1U << 20U, '\0'));
    steam.item("11", vpk("one"));
    steam.item("22", zeros);
    steam.collection("100", {"11", "22"});
    site.source.collections = {"100"};
    REQUIRE(site.run() == "");
    const auto sha256 = [](const std::string& bytes) { return Digest().add(bytes).hex(Digest::all_digits); };
    const WorkshopPin pin{{{"11", {1700000000, vpk("one").size(), sha256(vpk("one"))}},
                           {"22", {1700000000, zeros.size(), sha256(zeros)}}}};
    CHECK(site.pin() == pin);
    CHECK(site.record().artifact->pinned == pinned_inputs(site.source, pin));

    (void)steam.asked();
    steam.item("22", vpk("two"), "1700000001");
    steam.item("33", vpk("three"));
    steam.collection("100", {"11", "22", "33"});
    // Of a source that is pinned, too, upstream is what there is.
    site.source.pin = pin;
    auto upstream = site.check();
    CHECK(steam.asked() == Names{"collections", "items"});
    REQUIRE(upstream.pin);
    CHECK(*upstream.pin == Pin(WorkshopPin{{{"11", {1700000000, vpk("one").size()}},
                                            {"22", {1700000001, vpk("two").size()}},
                                            {"33", {1700000000, vpk("three").size()}}}}));
    CHECK(site.pin() == pin);
    steam.change("33", "result", 9);
    upstream = site.check();
    REQUIRE_FALSE(upstream.pin);
    CHECK(says(upstream.pin.error(), "item 33: Steam says FileNotFound (9)"));
}

TEST_CASE("exactly the pinned items are built, and one that has moved is refused with the remedy",
          "[workshop]") {
    WorkshopSite site;
    Steam& steam = site.steam;
    steam.item("11", vpk("one"));
    steam.item("22", vpk("two"));
    steam.collection("100", {"11", "22"});
    site.source.collections = {"100"};
    REQUIRE(site.run() == "");
    const std::string artifact = site.artifact();
    site.source.pin = site.pin();

    // Whatever has come to the collection, or gone from it.
    steam.item("33", vpk("three"));
    steam.collection("100", {"22", "33"});
    REQUIRE(site.run() == "");
    CHECK(site.artifact() == artifact);
    CHECK(site.names() == Names{"11.vpk", "22.vpk"});

    const auto refused = [&](std::string_view why) {
        const std::string message = site.run();
        CHECK(says(message, why));
        CHECK(says(message, "left4me.lock pins"));
        CHECK(says(message, "sudo l4d2ctl lock"));
        CHECK(site.artifact() == artifact);
        CHECK(site.names() == Names{"11.vpk", "22.vpk"});
    };
    (void)steam.asked();
    steam.item("22", vpk("TWO"), "1700000001");
    refused("item 22: 'Title of 22' was updated at 1700000001 and has");
    CHECK(steam.asked() == Names{"items"});
    steam.item("22", vpk("longer"));
    refused("item 22: 'Title of 22' was updated at 1700000000 and has");
    // The same size and time, and another content.
    steam.item("22", vpk("TWO"));
    steam.change("22", "hcontent_file", "77");
    refused("item 22: 'Title of 22' was updated at 1700000000 and has");
    CHECK_FALSE(site.place.exists("overlays/o/.build/tree/left4dead2/addons/22.vpk"));
    steam.item("22", vpk("two"));
    REQUIRE(site.run() == "");
    CHECK(site.artifact() == artifact);
}

TEST_CASE("with the same lock two hosts build equal artifacts of items, whatever has come upstream since",
          "[workshop]") {
    WorkshopSite first;
    WorkshopSite second("30m");
    second.elsewhere = true;
    for (WorkshopSite* site : {&first, &second}) {
        site->source.collections = {"100"};
        // Neither order nor what else there is matters.
        const bool early = site == &first;
        site->steam.item("11", vpk("one"));
        site->steam.item("22", vpk("two"));
        site->steam.item("33", vpk("three"));
        site->steam.collection("100", early ? Names{"11", "22"} : Names{"33", "22", "11"});
    }
    REQUIRE(first.run() == "");
    REQUIRE(second.run() == "");
    CHECK(first.artifact() != second.artifact());
    second.source.pin = first.pin();
    REQUIRE(second.run() == "");
    CHECK(first.artifact() == second.artifact());
    CHECK(first.record().artifact->is_of(second.record().artifact->input));
    CHECK(first.place.mode(first.in_artifact("11")) == second.place.mode(second.in_artifact("11")));
}

TEST_CASE("items for which the disk has no room are not fetched, and nothing is lost", "[workshop]") {
    WorkshopSite site("3m");
    if (!site.disk->usable()) {
        WARN("only root can mount a small disk");
        return;
    }
    Steam& steam = site.steam;
    steam.item("1", vpk("one"));
    site.source.items = {"1"};
    REQUIRE(site.run() == "");
    const std::string artifact = site.artifact();
    const std::string large = vpk(random_bytes(2'000'000, 2));
    steam.item("2", large);
    steam.item("3", large);
    site.source.items = {"1", "2", "3"};
    (void)steam.asked();
    CHECK(says(site.run(), "the files that are to be fetched have " + std::to_string(2 * large.size()) +
                               " bytes, and the disk has "));
    CHECK(site.record().failure->kind == BuildFailureKind::NoSpace);
    CHECK(steam.asked() == Names{"items"});
    CHECK(site.artifact() == artifact);
    CHECK(site.place.read(site.in_artifact("1")) == vpk("one"));
    site.disk->resize("30m");
    CHECK(site.run() == "");
    CHECK(site.names() == Names{"1.vpk", "2.vpk", "3.vpk"});
}

TEST_CASE("many items are asked for in several questions", "[workshop]") {
    WorkshopSite site;
    Names ids;
    for (unsigned i = 1000; i < 1120; ++i) {
        ids.push_back(std::to_string(i));
        site.steam.item(ids.back(), vpk(ids.back()));
    }
    site.steam.collection("7", ids);
    site.source.collections = {"7"};
    REQUIRE(site.run() == "");
    const Names asked = site.steam.asked();
    CHECK(std::count(asked.begin(), asked.end(), "items") == 3);
    CHECK(site.names().size() == 120);
}

TEST_CASE("one wrong item keeps the last artifact in use, and the error names it", "[workshop]") {
    WorkshopSite site;
    Steam& steam = site.steam;
    steam.item("1", vpk("one"));
    site.source.items = {"1"};
    REQUIRE(site.run() == "");
    const std::string artifact = site.artifact();
    site.source.items = {"1", "9"};
    const std::string good = vpk("nine");
    steam.item("9", good);
    const auto refused = [&](std::string_view why, std::string_view name = "item 9") {
        const std::string message = site.run();
        CHECK(says(message, why));
        CHECK(says(message, name));
        CHECK(site.artifact() == artifact);
        CHECK(site.place.read(site.in_artifact("1")) == vpk("one"));
        CHECK_FALSE(site.place.exists("overlays/o/.build/tree/left4dead2/addons/9.vpk"));
    };
    SECTION("removed") {
        for (const auto& [result, name] : std::map<int, std::string>{{9, "FileNotFound (9)"},
                                                                     {15, "AccessDenied (15)"},
                                                                     {84, "RateLimitExceeded (84)"},
                                                                     {53, "DataCorruption (53)"},
                                                                     {131, "TryLater (131)"},
                                                                     {4, "result '4'"},
                                                                     {132, "result '132'"}}) {
            steam.change("9", "result", result);
            refused(name);
        }
    }
    SECTION("of another game") {
        steam.change("9", "consumer_app_id", 440);
        refused("not for Left 4 Dead 2");
    }
    SECTION("banned") {
        steam.change("9", "banned", GENERATE(Json(1), Json(true)));
        refused("was banned");
    }
    SECTION("of the kind that only Steam's own client downloads") {
        steam.change("9", "file_url", "");
        refused("without a Steam account");
        steam.change("9", "file_url", steam.server.url("/preview/9"));
        refused("without a Steam account");
    }
    SECTION("described wrongly") {
        for (const Json& size : {Json("0"), Json(""), Json("-1"), Json("x"), Json(nullptr), Json(1.5)}) {
            steam.change("9", "file_size", size);
            refused("makes no sense");
        }
        steam.change("9", "file_size", good.size());  // older answers have a number
        steam.change("9", "file_url", "ftp://example.org/9");
        refused("makes no sense");
        steam.change("9", "file_url", "https://10.0.0.1/9");
        refused("10.0.0.1 is not a public address");
    }
    SECTION("another file") {
        steam.file("9", "\xff\xd8\xff\xe0" + std::string(good.size() - 4, 'x'));
        refused("it is no VPK");
        steam.file("9", good + "x");
        refused("Steam says that the item has no more");
        steam.file("9", good.substr(1));
        refused("not the " + std::to_string(good.size()));
        steam.change("9", "file_url", steam.server.url("/ugc/none"));
        refused("status 404");
    }
    SECTION("not a collection") {
        site.source.collections = {"9"};
        refused("FileNotFound (9)", "collection 9");
    }
    SECTION("no answer") {
        for (const std::string& body : {std::string("<html>busy</html>"), std::string(), std::string("[]"),
                                        std::string("{\"response\":[]}"), std::string(100'000, '[')}) {
            steam.answer_always(200, body);
            refused("no answer of Steam's web API", "GetPublishedFileDetails");
        }
        steam.answer_always(200, R"({"response":{"result":1}})");
        refused("does not mention it", "item");
        steam.answer_always(403, "no");
        refused("status 403", "GetPublishedFileDetails");
    }
    CHECK(site.record().failure->kind == BuildFailureKind::SourceUnavailable);
}

TEST_CASE(
    "whatever is sent instead of Steam's answers or an item, the error says so and the last artifact stays",
    "[workshop]") {
    WorkshopSite site;
    Steam& steam = site.steam;
    steam.item("1", vpk("one"));
    site.source.items = {"1"};
    REQUIRE(site.run() == "");
    const std::string artifact = site.artifact();
    const std::string nine = vpk(random_bytes(50'000, 9));
    steam.item("9", nine);
    steam.collection("100", {"9"});
    site.source.collections = {"100"};
    const auto refused = [&](const std::string& what, const std::string& url, const Said& said) {
        for (const WrongAnswer& wrong : wrong_answers(said)) {
            INFO(what << ": " << wrong.name);
            steam.spoil(what, wrong.send);
            const std::string message = site.run_in_haste();
            CHECK(says(message, wrong.said));
            CHECK(says(message, steam.server.url(url)));
            CHECK(site.artifact() == artifact);
            CHECK(site.place.read(site.in_artifact("1")) == vpk("one"));
            CHECK(site.record().failure->kind == BuildFailureKind::SourceUnavailable);
        }
        steam.spoil(what, nullptr);
    };
    const std::string no_answer = "no answer of Steam's web API";
    const Said of_the_api{.half = no_answer,
                          .more = no_answer,
                          .page = no_answer,
                          .picture = no_answer,
                          .endless = "no answer of Steam has that many",
                          .is_post = true};
    SECTION("the answer about items") {
        refused("items", "/ISteamRemoteStorage/GetPublishedFileDetails/v1/", of_the_api);
    }
    SECTION("the answer about collections") {
        refused("collections", "/ISteamRemoteStorage/GetCollectionDetails/v1/", of_the_api);
    }
    SECTION("the file of an item") {
        refused("/ugc/9", "/ugc/9",
                {.half = "not the " + std::to_string(nine.size()) + " that Steam says",
                 .more = "Steam says that the item has no more",
                 .page = "the server sent a web page: it is no VPK",
                 .picture = "it is no VPK",
                 .endless = "Steam says that the item has no more"});
    }
    REQUIRE(site.run_in_haste() == "");
    CHECK(site.place.read(site.in_artifact("9")) == nine);
}

TEST_CASE("Steam is asked again when it asks for a moment", "[workshop]") {
    WorkshopSite site;
    site.steam.item("1", vpk("one"));
    site.steam.collection("100", {"1"});
    site.source.collections = {"100"};
    std::atomic<unsigned> asked = 0;
    site.steam.spoil(GENERATE("items", "collections", "/ugc/1"), asks_for_a_moment(asked));
    const auto begun = std::chrono::steady_clock::now();
    CHECK(site.run_in_haste() == "");
    CHECK(std::chrono::steady_clock::now() - begun >= 1s);
    CHECK(asked == 2);
}

TEST_CASE("the download of an item goes on although the server ignores what is there, or sends another part",
          "[workshop]") {
    WorkshopSite site;
    const std::string one = vpk(random_bytes(50'000, 1));
    site.steam.item("1", one);
    site.source.items = {"1"};
    const bool other = GENERATE(false, true);
    std::atomic<unsigned> asked = 0;
    site.steam.spoil("/ugc/1", breaks_off(asked, other));
    CHECK(site.run_in_haste() == "");
    CHECK(asked == (other ? 3 : 2));
    CHECK(site.steam.asked().at(2).starts_with("1 "));
    CHECK(site.place.read(site.in_artifact("1")) == one);
}

TEST_CASE("Steam's web API and the servers of items need a certificate that is valid", "[workshop]") {
    WorkshopSite site;
    Steam& steam = site.steam;
    Steam expired(HttpsServer::Certificate::Expired);
    site.place.file("ca.pem", steam.server.certificate() + expired.server.certificate());
    steam.item("1", vpk("one"));
    site.source.items = {"1"};
    REQUIRE(site.run_in_haste() == "");
    const std::string artifact = site.artifact();
    std::string api = steam.server.url("");
    SECTION("the web API") { api = expired.server.url(""); }
    SECTION("the file of an item") {
        steam.item("2", vpk("two"));
        expired.item("2", vpk("two"));
        steam.change("2", "file_url", expired.server.url("/ugc/2"));
        site.source.items = {"1", "2"};
    }
    CHECK(says(site.run_in_haste(api), "the server's certificate is not valid"));
    CHECK(expired.asked().empty());
    CHECK(site.artifact() == artifact);
}

TEST_CASE("a name that leads to a private address after Steam has answered is not followed", "[workshop]") {
    WorkshopSite site;
    Steam& steam = site.steam;
    const OwnNames names(site.place);
    if (!names.usable()) {
        WARN("only root can lead names elsewhere");
        return;
    }
    names.lead_to("127.0.0.1");
    const std::string api = by_name(steam.server.url(""));
    steam.item("1", vpk("one"));
    site.source.items = {"1"};
    REQUIRE(site.run_in_haste(api) == "");
    const std::string artifact = site.artifact();
    steam.item("2", vpk("two"));
    steam.change("2", "file_url", by_name(steam.server.url("/ugc/2")));
    site.source.items = {"1", "2"};
    steam.spoil("items", [&](HttpAnswer& answer, const std::string& right) {
        names.lead_to("10.0.0.1");
        answer.reply(200, right);
    });
    // Then of an item, and of the API itself.
    CHECK(says(site.run_in_haste(api), "/ugc/2: 10.0.0.1 is not a public address"));
    CHECK(says(site.run_in_haste(api), "/v1/: 10.0.0.1 is not a public address"));
    CHECK(site.artifact() == artifact);
    names.lead_to("127.0.0.1");
    steam.spoil("items", nullptr);
    CHECK(site.run_in_haste(api) == "");
}

TEST_CASE("a build of workshop items that was killed keeps the items that it has, and its partial download",
          "[workshop]") {
    WorkshopSite site;
    Steam& steam = site.steam;
    const std::string second = vpk(random_bytes(1'000'000, 2));
    steam.item("1", vpk("one"));
    steam.item("2", second);
    steam.item("3", vpk("three"));
    site.source.items = {"1", "2", "3"};
    steam.slow_down(100ms);
    const std::string data = site.place.path("overlays/o/.build/download/item-2");
    const auto partly = [&] {
        struct stat status{};
        const bool others = site.place.exists("overlays/o/.build/tree/left4dead2/addons/1.vpk") &&
                            site.place.exists("overlays/o/.build/tree/left4dead2/addons/3.vpk");
        return others && ::stat(data.c_str(), &status) == 0 && status.st_size > 100'000;
    };
    kill_build_when([&] { return site.start(); }, partly);
    CHECK(sorted(steam.asked()) == Names{"1", "2", "3", "items"});
    steam.slow_down(0ms);
    REQUIRE(site.run() == "");
    const Names asked = steam.asked();
    REQUIRE(asked.size() == 2);
    CHECK(asked[1].starts_with("2 "));
    CHECK(site.place.read(site.in_artifact("2")) == second);
}

TEST_CASE("items are fetched at the same time, but not more than four", "[workshop]") {
    WorkshopSite site;
    for (unsigned i = 1; i <= 9; ++i) {
        site.source.items.push_back(std::to_string(i));
        site.steam.item(std::to_string(i), vpk(random_bytes(300'000, i)));
    }
    site.steam.hold(2s);
    REQUIRE(site.run() == "");
    CHECK(site.names().size() == 9);
    CHECK(site.steam.most_at_once() == 4);
    for (unsigned i = 1; i <= 9; ++i)
        CHECK(site.place.read(site.in_artifact(std::to_string(i))) == vpk(random_bytes(300'000, i)));
}

TEST_CASE("a server that asks one download to wait is left alone by all", "[workshop]") {
    WorkshopSite site;
    for (unsigned i = 1; i <= 12; ++i) {
        site.source.items.push_back(std::to_string(i));
        site.steam.item(std::to_string(i), vpk(random_bytes(50'000, i)));
    }
    // Half a second each: without the pause, three of them would be done every half second.
    site.steam.slow_down(100ms);
    site.steam.be_busy(GENERATE(429, 503), "3");
    REQUIRE(site.run() == "");
    CHECK(site.names().size() == 12);
    CHECK(site.steam.asked().size() == 1 + 12 + 1);
    // Those that had begun by then are done.
    CHECK(site.steam.asked_after_busy(1000ms, 2900ms) == 0);
}

TEST_CASE("an item that fails stops the downloads of the others", "[workshop]") {
    WorkshopSite site;
    Steam& steam = site.steam;
    const std::string large = vpk(random_bytes(5'000'000, 1));
    // In the order of their names: the first of all is gone.
    for (unsigned i = 10; i <= 60; ++i) {
        site.source.items.push_back(std::to_string(i));
        steam.item(std::to_string(i), large);
    }
    site.source.items.emplace_back("1");
    steam.item("1", vpk("gone"));
    steam.change("1", "file_url", steam.server.url("/ugc/none"));
    steam.slow_down(20ms);  // a large one takes six seconds
    const std::string message = site.run();
    CHECK(says(message, "item 1 "));
    CHECK(says(message, "status 404"));
    CHECK(steam.asked().size() <= 1 + 4 + 3);
    CHECK(site.artifact() == "none");
    steam.slow_down(0ms);
    site.source.items = {"10", "11", "12"};
    REQUIRE(site.run() == "");
    CHECK(site.place.read(site.in_artifact("10")) == large);
    CHECK(site.place.names("overlays/o/.build") == Names{"pin", "record", "request", "versions"});
}

TEST_CASE("a build of workshop items that is killed at any moment gives the right artifact in the end",
          "[workshop]") {
    WorkshopSite site;
    for (unsigned i = 1; i <= 9; ++i) {
        site.source.items.push_back(std::to_string(i));
        site.steam.item(std::to_string(i), vpk(random_bytes(100'000 + i, i)));
    }
    REQUIRE(site.run() == "");
    const std::string artifact = site.artifact();
    const Names names = site.place.names("overlays/o/" + artifact);
    site.steam.slow_down(1ms);
    std::mt19937 random(20261129);
    for (int round = 0; round < 5; ++round) {
        site.place.remove("overlays/o/" + artifact);
        kill_builds([&] { return site.start(); }, 10, 60ms, random);
        REQUIRE(site.run() == "");
        CHECK(site.artifact() == artifact);
        CHECK(site.place.names("overlays/o/" + artifact) == names);
        CHECK(site.place.names("overlays/o/.build") == Names{"pin", "record", "request", "versions"});
    }
}

TEST_CASE("what items are called is known with the artifact that has them", "[workshop]") {
    WorkshopSite site;
    site.steam.item("1", vpk("one"));
    site.steam.item("2", vpk("two"));
    site.steam.change("1", "title", "Dark \x1b[31mCarnival\nand more");
    site.steam.change("2", "title", std::string(5000, 'x'));
    site.source.items = {"1", "2"};
    REQUIRE(site.run() == "");
    const Fd overlay(::open(site.place.path("overlays/o").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto info = store::read_info(overlay.get(), site.artifact());
    REQUIRE(info);
    CHECK(info->titles.at("1") == "Dark \x1b[31mCarnival\nand more");
    CHECK(info->titles.at("2") == std::string(512, 'x'));
}
