#include "adapters/rcon/conversation.hpp"

#include <random>
#include <vector>

#include "support/catch.hpp"

using namespace left4me::rcon;

namespace {

std::vector<Packet> sent_by(Conversation& conversation) {
    PacketReader reader;
    reader.add(conversation.take_output());
    std::vector<Packet> packets;
    while (auto packet = reader.next()) packets.push_back(*std::move(packet));
    return packets;
}

const std::string accepted = encode({1, Packet::response, ""}) + encode({1, Packet::auth_response, ""});

/// One that has sent its command; the identifiers are its command's and its mirror's.
struct Asked {
    Conversation conversation{"word"};
    std::int32_t command = 0;
    std::int32_t mirror = 0;

    explicit Asked(const std::string& text = "status") {
        conversation.execute(text);
        (void)conversation.take_output();
        conversation.received(accepted);
        const auto sent = sent_by(conversation);
        REQUIRE(sent.size() == 2);
        CHECK(sent[0].body == text);
        command = sent[0].id;
        mirror = sent[1].id;
    }

    /// What the game sends after an answer that it sends in these parts.
    std::string answer(const std::vector<std::string>& parts) const {
        std::string bytes;
        for (const std::string& part : parts) bytes += encode({command, Packet::response, part});
        return bytes + encode({mirror, Packet::response, ""}) +
               encode({mirror, Packet::response, std::string("\0\1\0\0", 4)});
    }
};

}  // namespace

TEST_CASE("the command is sent only when the game has accepted the password") {
    Conversation conversation("word");
    conversation.execute("status");
    const auto first = sent_by(conversation);
    REQUIRE(first.size() == 1);
    CHECK(first[0] == Packet{1, Packet::auth, "word"});
    // Some clients take this one for an acceptance.
    conversation.received(encode({1, Packet::response, ""}));
    CHECK(sent_by(conversation).empty());
    conversation.received(encode({1, Packet::auth_response, ""}));
    const auto second = sent_by(conversation);
    REQUIRE(second.size() == 2);
    CHECK(second[0].type == Packet::execute);
    CHECK(second[1].type == Packet::response);
    CHECK_FALSE(conversation.answer());
}

TEST_CASE("an answer in several packets is read whole, however its segments come") {
    const std::vector<std::string> parts{std::string(4086, 'a'), std::string(4086, 'b'), "c"};
    for (const std::size_t step : std::initializer_list<std::size_t>{1, 7, 5000, 100'000}) {
        Asked asked;
        const std::string bytes = asked.answer(parts);
        for (std::size_t at = 0; at < bytes.size(); at += step)
            asked.conversation.received(std::string_view(bytes).substr(at, step));
        REQUIRE(asked.conversation.answer());
        CHECK(**asked.conversation.answer() == parts[0] + parts[1] + parts[2]);
    }
}

TEST_CASE("a second command gets its own answer, whatever is left of the first") {
    Asked asked("first");
    const std::string bytes = asked.answer({"one"});
    asked.conversation.received(std::string_view(bytes).substr(0, bytes.size() - 18));
    REQUIRE(asked.conversation.answer());
    asked.conversation.execute("second");
    const auto sent = sent_by(asked.conversation);
    REQUIRE(sent.size() == 2);
    asked.conversation.received(std::string_view(bytes).substr(bytes.size() - 18));
    CHECK_FALSE(asked.conversation.answer());
    asked.conversation.received(encode({sent[0].id, Packet::response, "two"}) +
                                encode({sent[1].id, Packet::response, ""}));
    REQUIRE(asked.conversation.answer());
    CHECK(**asked.conversation.answer() == "two");
}

TEST_CASE("a wrong password is final, and is not sent again") {
    for (const std::string& refusal :
         {encode({1, Packet::response, ""}) + encode({-1, Packet::auth_response, ""}),
          encode({-1, Packet::auth_response, ""})}) {
        Conversation conversation("word");
        conversation.execute("status");
        (void)conversation.take_output();
        conversation.received(refusal);
        REQUIRE(conversation.answer());
        CHECK(conversation.answer()->error() == Failure::Refused);
        conversation.execute("status");
        CHECK(conversation.take_output().empty());
        conversation.received(accepted);
        CHECK(conversation.take_output().empty());
        CHECK(conversation.answer()->error() == Failure::Refused);
    }
}

TEST_CASE("a game that has got another password meanwhile refuses") {
    Asked asked;
    asked.conversation.received(encode({-1, Packet::auth_response, ""}));
    REQUIRE(asked.conversation.answer());
    CHECK(asked.conversation.answer()->error() == Failure::Refused);
}

TEST_CASE("an answer without end is not read to the end") {
    Asked asked;
    const std::string part = encode({asked.command, Packet::response, std::string(4086, 'a')});
    std::size_t sent = 0;
    for (; !asked.conversation.answer() && sent < 10'000; ++sent) asked.conversation.received(part);
    REQUIRE(asked.conversation.answer());
    CHECK(asked.conversation.answer()->error() == Failure::Broken);
    CHECK(sent * 4086 <= max_answer + 4086);
}

TEST_CASE("what is not RCON is an error") {
    Conversation conversation("word");
    conversation.execute("status");
    conversation.received("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
    REQUIRE(conversation.answer());
    CHECK(conversation.answer()->error() == Failure::Broken);
}

TEST_CASE("whatever a game sends, there is one answer at most, and no other password") {
    std::minstd_rand random(1);
    for (int i = 0; i < 2000; ++i) {
        Asked asked;
        std::string bytes = asked.answer({"some text", "more text"});
        for (int j = 0; j < 4; ++j) bytes[random() % bytes.size()] = static_cast<char>(random());
        asked.conversation.received(bytes);
        const auto& answer = asked.conversation.answer();
        if (answer && *answer) CHECK((*answer)->size() <= bytes.size());
        CHECK(asked.conversation.take_output().empty());
    }
}
