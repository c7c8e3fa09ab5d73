//! From a class back to what was written of it: its own elements and its own qualifiers.
//!
//! What is inherited is left out, and so are flavors that the qualifier's declaration gives anyway:
//! the declaration follows superclass and qualifiers when they change.

use crate::model::{
    CimType, Class, ClassDecl, FlavorUse, Literal, Method, MethodDecl, NameMap, Parameter,
    ParameterDecl, Property, PropertyDecl, Qualifier, QualifierUse, Slot, TypeDecl,
};

use super::Schema;

impl Schema {
    /// What was written of `class`, which is a class of this schema. Judged again under the same
    /// superclass and qualifier declarations it gives the same class.
    pub fn declaration(&self, class: &Class) -> ClassDecl {
        let own = class.properties.values().filter(|own| !own.propagated);
        let properties = own.map(|own| self.property(own)).collect();
        let own = class.methods.values().filter(|own| !own.propagated);
        let methods = own.map(|own| self.method(own)).collect();
        ClassDecl {
            name: class.name.clone(),
            superclass: class.superclass().cloned(),
            qualifiers: self.uses(&class.qualifiers),
            properties,
            methods,
        }
    }

    fn property(&self, property: &Property) -> PropertyDecl {
        let default = Some(&property.default).filter(|value| !value.is_null());
        PropertyDecl {
            name: property.name.clone(),
            ty: type_of(&property.slot),
            qualifiers: self.uses(&property.qualifiers),
            default: default.map(Literal::from),
            origin: None,
            propagated: false,
        }
    }

    fn method(&self, method: &Method) -> MethodDecl {
        MethodDecl {
            name: method.name.clone(),
            returns: method.returns.as_ref().map(|slot| slot.ty),
            qualifiers: self.uses(&method.qualifiers),
            parameters: method
                .parameters
                .values()
                .map(|parameter| self.parameter(parameter))
                .collect(),
            origin: None,
            propagated: false,
        }
    }

    fn parameter(&self, parameter: &Parameter) -> ParameterDecl {
        ParameterDecl {
            name: parameter.name.clone(),
            ty: type_of(&parameter.slot),
            qualifiers: self.uses(&parameter.qualifiers),
        }
    }

    fn uses(&self, qualifiers: &NameMap<Qualifier>) -> Vec<QualifierUse> {
        let own = qualifiers.values().filter(|own| !own.propagated);
        own.map(|own| self.used(own)).collect()
    }

    fn used(&self, qualifier: &Qualifier) -> QualifierUse {
        let declared = self.qualifier(qualifier.name.as_str());
        let declared = declared.map(|declared| declared.flavor);
        let said = |own: bool, usual: Option<bool>| Some(own).filter(|_| usual != Some(own));
        let flavor = qualifier.flavor;
        QualifierUse {
            name: qualifier.name.clone(),
            value: Some(Literal::from(&qualifier.value)),
            ty: Some(qualifier.ty),
            flavor: FlavorUse {
                overridable: said(flavor.overridable, declared.map(|usual| usual.overridable)),
                to_subclass: said(flavor.to_subclass, declared.map(|usual| usual.to_subclass)),
                translatable: said(
                    flavor.translatable,
                    declared.map(|usual| usual.translatable),
                ),
                to_instance: said(flavor.to_instance, declared.map(|usual| usual.to_instance)),
            },
            propagated: false,
        }
    }
}

fn type_of(slot: &Slot) -> TypeDecl {
    TypeDecl {
        ty: slot.ty,
        is_array: slot.is_array,
        array_size: slot.array_size,
        reference_class: slot
            .reference_class
            .clone()
            .filter(|_| slot.ty == CimType::Reference),
    }
}
