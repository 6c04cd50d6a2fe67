#include "analyzer/json/object.h"

#include "tests/support/catch.h"

using namespace gradscan::forms;

namespace {

constexpr Space wheel{0, "wheel"};

enum class Color { red, green };

constexpr auto words_of(Color) {
  return std::array<Word<Color>, 2>{{{Color::red, "red"}, {Color::green, "green"}}};
}

struct Wheel {
  std::string name;
  double size = 1.5;
};

struct Cart {
  std::vector<Wheel> wheels;
  Color color = Color::green;
  bool covered = false, roofed = false;
  int spare = -1;
  std::vector<int> worn;
  std::optional<int> horses;
  std::string owner;
  int seats = 2;
};

template <typename Fields>
void describe(Fields& fields, As<Wheel>) {
  fields.object("wheel", "What it rolls on.");
  fields.required("name", &Wheel::name, "Its name.");
  fields.optional("size", &Wheel::size, "In metres.");
}

template <typename Fields>
void describe(Fields& fields, As<Cart>) {
  fields.document("cart/1", "cart", "A cart.");
  fields.required("wheels", &Cart::wheels, "Its wheels.", counted<Wheel>(wheel, &Wheel::name));
  fields.always("color", &Cart::color, "Its colour.");
  fields.optional("covered", &Cart::covered, "Whether it is covered.");
  fields.follows("roofed", &Cart::roofed, &Cart::covered, "Whether it has a roof.");
  fields.always("spare", &Cart::spare, "Its spare wheel.", IndexOrNull{wheel});
  fields.optional("worn", &Cart::worn, "Wheels to replace.", ascending(NamedIndex{wheel}));
  fields.always("horses", &Cart::horses, "How many.");
  fields.always("owner", &Cart::owner, "Whose it is.", TextOrNull{});
  fields.computed(
      "seats", [](const Cart& cart) { return cart.seats; }, [](Cart& cart, int seats) { cart.seats = seats; }, "How many.");
  fields.computed(
      "wheel_count", [](const Cart& cart) { return static_cast<int>(cart.wheels.size()); }, "How many.");
}

std::string written(const Cart& cart) {
  return one_line(Document<Cart>{}.write(cart));
}

Cart read(const std::string& text) {
  Cart cart;
  Document<Cart>{}.read(Json::parse(text), cart);
  Document<Cart>{}.check(cart);
  return cart;
}

std::string refusal(const std::string& members) {
  try {
    read("{\"schema\": \"cart/1\", " + members + "}");
  } catch (const Malformed& error) {
    return in_words(error);
  }
  return "accepted";
}

const Cart full{.wheels = {{"left", 1}, {"right"}},
                .color = Color::red,
                .covered = true,
                .roofed = false,
                .spare = 1,
                .worn = {0, 1},
                .horses = 3,
                .owner = "me",
                .seats = 4};

}  // namespace

TEST_CASE("what is written has the order of the description, and leaves defaults out where they are optional") {
  CHECK(written({}) == R"({"schema":"cart/1","wheels":[],"color":"green","spare":null,"horses":null,"owner":null,"seats":2,)"
                       R"("wheel_count":0})");
  CHECK(written(full) == R"({"schema":"cart/1","wheels":[{"name":"left","size":1.0},{"name":"right"}],"color":"red",)"
                         R"("covered":true,"roofed":false,"spare":1,"worn":[[0,"left"],[1,"right"]],"horses":3,"owner":"me",)"
                         R"("seats":4,"wheel_count":2})");
}

TEST_CASE("what is written can be read") {
  CHECK(written(read(written(full))) == written(full));
  CHECK(written(read(written({}))) == written({}));
}

TEST_CASE("a member that is missing has its default") {
  Cart cart = read(R"({"schema": "cart/1", "wheels": [], "covered": true, "unknown": [1]})");
  CHECK(cart.color == Color::green);
  CHECK(cart.spare == -1);
  CHECK(cart.seats == 2);
  CHECK(cart.roofed);  // follows
}

TEST_CASE("what is malformed is named by its path") {
  CHECK(refusal(R"("color": "red")") == "has no \"wheels\"");
  CHECK(refusal(R"("wheels": 1)") == "wheels is no list");
  CHECK(refusal(R"("wheels": [{"name": "a"}, 2])") == "wheels[1] is no object");
  CHECK(refusal(R"("wheels": [{}])") == "wheels[0] has no \"name\"");
  CHECK(refusal(R"("wheels": [{"name": 1}])") == "wheels[0].name is no text");
  CHECK(refusal(R"("wheels": [{"name": "a", "size": "b"}])") == "wheels[0].size is no number");
  CHECK(refusal(R"("wheels": [], "color": "blue")") == "color is a word that this gradscan does not know");
  CHECK(refusal(R"("wheels": [], "covered": 1)") == "covered is neither true nor false");
  CHECK(refusal(R"("wheels": [], "horses": 2147483648)") == "horses is too large a number");
  CHECK(refusal(R"("wheels": [], "horses": 18446744073709551615)") == "horses is too large a number");
  CHECK(refusal(R"("wheels": [], "horses": 1.5)") == "horses is no whole number");
  CHECK(refusal(R"("wheels": [], "seats": null)") == "seats is no whole number");
  CHECK(refusal(R"("wheels": [], "spare": -1)") == "spare is negative");
}

TEST_CASE("a position is one of its list, which may stand anywhere") {
  CHECK(refusal(R"("spare": 0, "wheels": [{"name": "a"}])") == "accepted");
  CHECK(refusal(R"("spare": 1, "wheels": [{"name": "a"}])") == "spare: 1 is no wheel");
  CHECK(refusal(R"("worn": [[0, "a"], [7, "b"]], "wheels": [{"name": "a"}])") == "worn[1]: 7 is no wheel");
  CHECK(refusal(R"("worn": [[0, "a"], [0, "a"]], "wheels": [{"name": "a"}])") == "worn does not ascend");
  CHECK(refusal(R"("worn": [0], "wheels": [{"name": "a"}])") == "worn[0] is no wheel with its name");
}

TEST_CASE("the schema says what is read") {
  Json schema = Document<Cart>::published();
  CHECK(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema");
  CHECK(schema["title"] == "cart");
  CHECK(schema["properties"]["schema"] == Json{{"const", "cart/1"}});
  CHECK(schema["required"] == Json::array({"schema", "wheels"}));
  CHECK(schema["properties"]["color"]["enum"] == Json::array({"red", "green"}));
  CHECK(schema["properties"]["color"]["default"] == "green");
  CHECK(schema["properties"]["color"]["description"] == "Its colour.");
  CHECK(schema["properties"]["wheels"]["items"] == Json{{"$ref", "#/$defs/wheel"}});
  CHECK(schema["$defs"]["wheel"]["required"] == Json::array({"name"}));
  CHECK(schema["$defs"]["wheel"]["properties"]["size"]["default"] == 1.5);
  CHECK_FALSE(schema["properties"]["roofed"].contains("default"));
}
