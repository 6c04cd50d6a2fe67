#include "analyzer/capture/ivalues.h"

#include <ATen/core/Dict.h>
#include <ATen/core/List.h>
#include <ATen/core/class_type.h>
#include <ATen/core/jit_type.h>
#include <fmt/format.h>

#include <sstream>

namespace gradscan {
namespace {

using c10::IValue;

TensorPlace element_of(const TensorPlace& place, const std::string& key, bool in_tuple) {
  return {place.path + key, in_tuple, place.in_object};
}

std::string dict_key(const IValue& key) {
  if (key.isString()) return fmt::format("['{}']", key.toStringRef());
  std::ostringstream text;
  text << '[' << key << ']';
  return text.str();
}

std::string list_key(std::size_t position) {
  return fmt::format("[{}]", position);
}

// Values are only as deeply nested as the model's author wrote them, so these two functions recurse.
IValue map(const IValue& value, const TensorPlace& place, bool outermost,
           const std::function<at::Tensor(const at::Tensor&, const TensorPlace&)>& replace) {
  if (value.isTensor()) return value.toTensor().defined() ? IValue(replace(value.toTensor(), place)) : value;
  if (value.isTuple()) {
    std::vector<IValue> elements = value.toTupleRef().elements().vec();
    for (std::size_t k = 0; k < elements.size(); ++k)
      elements[k] = map(elements[k], element_of(place, list_key(k), outermost), false, replace);
    auto type = value.toTupleRef().type();
    return type->schema() ? c10::ivalue::Tuple::createNamed(std::move(elements), type)
                          : c10::ivalue::Tuple::create(std::move(elements));
  }
  if (value.isList()) {
    auto list = value.toList();
    c10::impl::GenericList copy(list.elementType());
    for (std::size_t k = 0; k < list.size(); ++k)
      copy.push_back(map(list.get(k), element_of(place, list_key(k), false), false, replace));
    return copy;
  }
  if (value.isGenericDict()) {
    auto dict = value.toGenericDict();
    c10::impl::GenericDict copy(dict.keyType(), dict.valueType());
    for (const auto& entry : dict)
      copy.insert(entry.key(), map(entry.value(), element_of(place, dict_key(entry.key()), false), false, replace));
    return copy;
  }
  return value;
}

void visit_all(const IValue& value, const TensorPlace& place, bool outermost,
               const std::function<void(const at::Tensor&, const TensorPlace&)>& visit) {
  if (value.isTensor()) {
    if (value.toTensor().defined()) visit(value.toTensor(), place);
  } else if (value.isTuple()) {
    const auto& elements = value.toTupleRef().elements();
    for (std::size_t k = 0; k < elements.size(); ++k)
      visit_all(elements[k], element_of(place, list_key(k), outermost), false, visit);
  } else if (value.isList()) {
    auto list = value.toList();
    for (std::size_t k = 0; k < list.size(); ++k) visit_all(list.get(k), element_of(place, list_key(k), false), false, visit);
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict())
      visit_all(entry.value(), element_of(place, dict_key(entry.key()), false), false, visit);
  } else if (value.isObject() && !value.isModule()) {
    auto object = value.toObject();
    for (std::size_t k = 0; k < object->slots().size(); ++k)
      visit_all(object->getSlot(k), {place.path + '.' + object->type()->getAttributeName(k), false, true}, false, visit);
  }
}

}  // namespace

void for_each_tensor(const IValue& value, const std::string& path,
                     const std::function<void(const at::Tensor&, const TensorPlace&)>& visit) {
  visit_all(value, {path}, true, visit);
}

IValue map_tensors(const IValue& value, const std::string& path,
                   const std::function<at::Tensor(const at::Tensor&, const TensorPlace&)>& replace) {
  return map(value, {path}, true, replace);
}

}  // namespace gradscan
