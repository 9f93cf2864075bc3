//! What a type expects of the wire, found out by letting it deserialise from a reader that only takes notes.

use std::cell::RefCell;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor,
    value::Error, value::StrDeserializer,
};
use serde::forward_to_deserialize_any;

/// What stands at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    Boolean,
    Integer,
    Number,
    Text,
    List(Box<Shape>),
    /// The Rust name of a struct and the names of its fields.
    Struct(&'static str, &'static [&'static str]),
    /// A struct that takes in whatever else comes, so that serde does not tell its fields.
    Open,
}

/// The shape of a type.
pub(crate) fn of<'de, T: Deserialize<'de>>() -> Shape {
    let notes = RefCell::new(None);
    let _ = T::deserialize(Probe {
        notes: &notes,
        field: None,
    });
    notes.into_inner().expect("every type asks for something")
}

/// The shape of one field of a struct.
pub(crate) fn of_field<'de, T: Deserialize<'de>>(field: &'static str) -> Shape {
    let notes = RefCell::new(None);
    let _ = T::deserialize(Probe {
        notes: &notes,
        field: Some(field),
    });
    notes.into_inner().expect("the field is one of the struct")
}

#[derive(Clone, Copy)]
struct Probe<'a> {
    notes: &'a RefCell<Option<Shape>>,
    /// The field to go into; `None` at the place that is asked about.
    field: Option<&'static str>,
}

impl Probe<'_> {
    /// Writes down the shape; there is no value to go on with.
    fn note<T>(self, shape: Shape) -> Result<T, Error> {
        self.notes.borrow_mut().get_or_insert(shape);
        Err(Error::custom("noted"))
    }
}

macro_rules! note {
    ($($method:ident)+ => $shape:expr) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            self.note($shape)
        }
    )+};
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    note!(deserialize_bool => Shape::Boolean);
    note!(deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 => Shape::Integer);
    note!(deserialize_f32 deserialize_f64 => Shape::Number);
    note!(deserialize_str deserialize_string deserialize_identifier => Shape::Text);

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let element = RefCell::new(None);
        let _ = visitor.visit_seq(One(Probe {
            notes: &element,
            field: None,
        }));
        let element = element.into_inner().expect("a list asks for its element");
        self.note(Shape::List(Box::new(element)))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.field {
            None => self.note(Shape::Struct(name, fields)),
            Some(_) => visitor.visit_map(One(self)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.field {
            None => self.note(Shape::Open),
            Some(_) => visitor.visit_map(One(self)),
        }
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        self.note(Shape::Open)
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct enum ignored_any
    }
}

/// A list of one element, or a map of one key: the field that is asked about.
struct One<'a>(Probe<'a>);

impl<'de> SeqAccess<'de> for One<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        seed.deserialize(self.0).map(Some)
    }
}

impl<'de> MapAccess<'de> for One<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let field = self.0.field.expect("a map is gone into for a field");
        seed.deserialize(StrDeserializer::new(field)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(Probe {
            notes: self.0.notes,
            field: None,
        })
    }
}
