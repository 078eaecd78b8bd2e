#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "../adapters/store/place.hpp"
#include "site/https_server.hpp"

namespace left4me {

/// What a web server may answer instead of what it is asked for.
struct WrongAnswer {
    std::string name;
    /// `right`: the body that is asked for.
    std::function<void(HttpAnswer& answer, const std::string& right)> send;
    std::string said;  ///< a part of what is said about it
};

/// What is said about an answer that only those who read it can tell to be wrong.
struct Said {
    std::string half;     ///< the first half, as if that were all
    std::string more;     ///< something after the end; empty: that does no harm
    std::string page;     ///< a web page of the right size
    std::string picture;  ///< a JPEG of the right size
    std::string endless;
    /// A POST: its redirects are not followed.
    bool is_post = false;
};

/// All of them, for one request.
std::vector<WrongAnswer> wrong_answers(const Said& said);

/// How a server answers, see WrongAnswer::send. `asked`: how often it was.
using Answering = std::function<void(HttpAnswer& answer, const std::string& right)>;
/// It asks for a second's patience (429) at first.
Answering asks_for_a_moment(std::atomic<unsigned>& asked);
/// It breaks off in the middle. Asked for the rest, it sends all, as if it knew no Range; or at first, if
/// `other_part`, a part that begins elsewhere.
Answering breaks_off(std::atomic<unsigned>& asked, bool other_part);

/// Runs left4me-build for the overlay `o` of a place, with little patience: three tries, and what brings
/// nothing for a second has stalled. Empty: there is an artifact; else why not. `steam_api`: as
/// DownloadSettings has it.
std::string build_in_haste(const Place& place, int build_directory, const std::string& steam_api = {});

/// /etc/hosts of this process alone: whom a name leads to may change at any time.
class OwnNames {
  public:
    explicit OwnNames(const Place& place);
    ~OwnNames();
    OwnNames(const OwnNames&) = delete;
    OwnNames& operator=(const OwnNames&) = delete;

    /// False without root: there is nothing to be tested then.
    bool usable() const { return usable_; }
    /// site.example, which the certificates of servers name, too.
    void lead_to(const std::string& address) const;

  private:
    std::string file_;
    bool usable_ = false;
};

/// The same server by a name that OwnNames leads to it.
std::string by_name(std::string url);

}  // namespace left4me
