-- One row per contact between ICE and the office, the jail, the court or the person.
{{ latest_rows('ice_contact', renamed={'at': 'contact_at', 'type': 'contact_type'}) }}
